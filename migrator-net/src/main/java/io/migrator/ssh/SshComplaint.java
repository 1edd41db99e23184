package io.migrator.ssh;

import io.migrator.problem.Problem;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the ssh program's standard error means. */
final class SshComplaint {

    /** In the warning about a changed key, the fingerprint has a line of its own. */
    private static final Pattern FINGERPRINT = Pattern.compile("(?m)^(SHA256:\\S+)\\.$");

    private SshComplaint() {}

    static Problem refusal(Destination to, String stderr) {
        String text = essence(stderr);
        String host = to.host();
        if (stderr.contains("REMOTE HOST IDENTIFICATION HAS CHANGED")) {
            Matcher shown = FINGERPRINT.matcher(stderr);
            return Refusal.changedHostKey(
                    host, shown.find() ? "it shows " + shown.group(1) + "; " + text : text);
        }
        if (stderr.contains("is marked as revoked") || stderr.contains("REVOKED HOST KEY")) {
            return Refusal.revokedHostKey(host, text);
        }
        if (stderr.contains("host key is known for")
                || stderr.contains("Host key verification failed")) {
            return Refusal.unknownHostKey(host, text);
        }
        if (stderr.contains("Could not resolve hostname")) {
            return Refusal.unknownNode(host, text);
        }
        if (stderr.contains("Permission denied")
                || stderr.contains("Too many authentication failures")) {
            return Refusal.loginRefused(to, List.of(text));
        }
        return Refusal.unreachable(host, text.isEmpty() ? "ssh exited 255 without a word" : text);
    }

    /** The last lines but for banners' blank ones: ssh ends with what stopped it. */
    private static String essence(String stderr) {
        List<String> lines = stderr.lines().map(String::strip).filter(s -> !s.isEmpty()).toList();
        return String.join("; ", lines.subList(Math.max(0, lines.size() - 2), lines.size()));
    }
}
