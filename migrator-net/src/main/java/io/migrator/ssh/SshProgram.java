package io.migrator.ssh;

import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The site's own {@code ssh} client: how it is called.
 *
 * @param name looked up in PATH, or a path
 * @param options put before all of ours, such as {@code -F FILE}
 */
record SshProgram(String name, List<String> options) {

    private static final Duration SETTINGS_DEADLINE = Duration.ofSeconds(10);

    /** The fastest cipher first; see docs/decisions. */
    static final String CIPHERS =
            "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr";

    SshProgram {
        options = List.copyOf(options);
    }

    /** The effective configuration for a node, with Match, Include and all. */
    SshSettings settingsOf(Destination to, OptionalInt port) throws Problem, InterruptedException {
        List<String> words = words();
        words.add("-TG");
        port.ifPresent(number -> words.addAll(List.of("-p", Integer.toString(number))));
        words.addAll(List.of("--", to.toString()));
        Command.Result result;
        try {
            result = Command.of(words).run(SETTINGS_DEADLINE);
        } catch (Problem _) {
            // no ssh program here, so hardly a configuration for it
            return SshSettings.withoutConfiguration(to, SshSettings.Local.ofThisProcess());
        }
        if (!result.ok()) {
            throw Problem.refused("the ssh configuration for " + to + " cannot be read")
                    .because(result.complaint())
                    .tryThis("see what 'ssh -G " + to + "' says");
        }
        return SshSettings.parse(
                result.out().lines().toList(), to, SshSettings.Local.ofThisProcess());
    }

    /** The words that run a command on a node without ever asking anything. */
    List<String> commandOn(Destination to, List<String> command, Duration connectLimit) {
        List<String> words = words();
        for (String option : batchOptions(connectLimit)) {
            words.add("-o");
            words.add(option);
        }
        words.addAll(List.of("-T", "-e", "none", "--", to.toString(), ShellWords.line(command)));
        return words;
    }

    private List<String> words() {
        List<String> words = new ArrayList<>();
        words.add(name);
        words.addAll(options);
        return words;
    }

    private static List<String> batchOptions(Duration connectLimit) {
        return List.of(
                "BatchMode=yes",
                "StrictHostKeyChecking=yes",
                "ServerAliveInterval=" + LinkWatch.PING_AFTER.toSeconds(),
                "ServerAliveCountMax=3",
                "ConnectTimeout=" + Math.max(1, connectLimit.toSeconds()),
                "Ciphers=" + CIPHERS,
                "Compression=no",
                "ForwardAgent=no",
                "ForwardX11=no",
                "ClearAllForwardings=yes",
                // an existing master may be the only way in (second factor), but never become one
                "ControlMaster=no");
    }
}
