package io.migrator.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the kernel keeps for programs under a number: tickets, passwords (keyrings(7)). */
public final class KernelKeys {
    private static final Path TABLE = Path.of("/proc/keys");

    /** proc_keys(5): number, flags, uses, timeout, rights, uid, gid, type, description. */
    private static final Pattern LINE =
            Pattern.compile("\\S+ (\\S+) +\\S+ +(\\S+) \\S+ +(\\d+) +\\d+ (\\S+) +([^:]*).*");

    /** Those that programs read; the kernel looks for others itself, in its own keyrings. */
    private static final Set<String> TYPES =
            Set.of("user", "logon", "big_key", "encrypted", "trusted", "rxrpc");

    /** systemd gives one to every service (systemd.exec(5), KeyringMode). */
    private static final String OF_SYSTEMD = "invocation_id";

    private KernelKeys() {}

    /** What the keys of this user are called that this JVM may see; they may be anybody's text. */
    public static List<String> ofThisUser() throws IOException {
        try {
            return of(Files.readAllLines(TABLE, StandardCharsets.ISO_8859_1), User.id());
        } catch (NoSuchFileException e) {
            return List.of(); // a kernel without them
        }
    }

    static List<String> of(List<String> table, int uid) {
        return table.stream()
                .map(LINE::matcher)
                .filter(Matcher::matches)
                .filter(line -> isValid(line.group(1), line.group(2)))
                .filter(line -> line.group(3).equals(Integer.toString(uid)))
                .filter(line -> TYPES.contains(line.group(4)))
                .map(line -> line.group(5))
                .filter(name -> !name.equals(OF_SYSTEMD))
                .distinct()
                .sorted()
                .toList();
    }

    /** Neither revoked, dead, negative or invalidated, nor expired. */
    private static boolean isValid(String flags, String timeout) {
        return flags.startsWith("I") && flags.matches("[^RDNi]*") && !timeout.equals("expd");
    }
}
