package io.migrator.network;

import io.migrator.problem.Problem;

import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The sysctls of a network namespace, by path below /proc/sys/net. */
final class Settings {
    private static final String READ =
            "cd /proc/sys/net && grep -rs '' ipv4 ipv6 core 2>/dev/null || :";

    /** Not a setting, or another one in each namespace; or of the whole node. */
    private static final Pattern PASSED_OVER =
            Pattern.compile(
                    ".*/(stable_secret|flush|.*_mem|tcp_fastopen_key|tcp_available_.*"
                            + "|tcp_allowed_.*|mc_forwarding|neigh/.*|ioam6_id.*)|core/.*");

    private static final Pattern PATH = Pattern.compile("(ipv4|ipv6|core)(/[A-Za-z0-9_-]+){1,6}");

    private Settings() {}

    /** Those that are in force; those that have more than one line are left out. */
    static Map<String, String> of(NetSpace space) throws Problem, InterruptedException {
        Map<String, String> found = new TreeMap<>();
        String out = space.run("sh", "-c", READ).orFail("the sysctls cannot be read").out();
        out.lines()
                .forEach(line -> {
                    int colon = line.indexOf(':');
                    String path = colon < 0 ? "" : line.substring(0, colon);
                    if (PATH.matcher(path).matches() && !PASSED_OVER.matcher(path).matches()) {
                        found.put(path, line.substring(colon + 1).strip());
                    }
                });
        return found;
    }

    /**
     * Text for {@code sysctl -p -} that makes one namespace like another. Forwarding first, which
     * resets others (ip-sysctl), then what is for all interfaces and resets each.
     */
    static String text(Map<String, String> wanted, Map<String, String> there) {
        StringBuilder text = new StringBuilder();
        wanted.entrySet().stream()
                .sorted(Comparator.comparing(each -> rank(each.getKey())))
                .filter(each -> there.containsKey(each.getKey()))
                .filter(each -> !each.getValue().equals(there.get(each.getKey())))
                .forEach(each ->
                        text.append("net/%s=%s%n".formatted(each.getKey(), each.getValue())));
        return text.toString();
    }

    private static int rank(String path) {
        if (path.endsWith("forward") || path.endsWith("/all/forwarding")) {
            return 0;
        }
        return path.contains("/all/") ? 1 : path.contains("/default/") ? 2 : 3;
    }
}
