package io.migrator.ssh;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What the user's SSH configuration says of one node, as far as it matters to us.
 *
 * @param hostName the address or name to connect to
 * @param hostKeyAlias the name under which the host key is known, or null: the host name
 * @param identityFiles private keys to try, in order; many will not exist
 * @param onlyIdentityFiles of an agent's keys, use only those that also are identity files
 * @param agentSocket of the SSH agent, or null: none
 * @param knownHosts files of host keys, in order; some will not exist
 * @param jumps hosts to go through, first hop first, each as {@code [USER@]HOST[:PORT]}
 * @param obstacles what of it JSch cannot follow, in words
 */
record SshSettings(
        String user,
        String hostName,
        int port,
        @Nullable String hostKeyAlias,
        List<Path> identityFiles,
        boolean onlyIdentityFiles,
        @Nullable Path agentSocket,
        List<Path> knownHosts,
        List<String> jumps,
        List<String> obstacles) {

    private static final int DEFAULT_PORT = 22;

    private static final List<String> DEFAULT_KEYS =
            List.of("~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519");

    private static final List<String> DEFAULT_KNOWN_HOSTS =
            List.of("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts");

    /** Settings that decide how the node is reached or trusted, and that JSch does not have. */
    private static final List<String> NOT_IN_JSCH =
            List.of(
                    "proxycommand",
                    "knownhostscommand",
                    "revokedhostkeys",
                    "bindaddress",
                    "bindinterface");

    /** The name of this side's user, and the things of his that names in the settings mean. */
    record Local(String user, Path home, @Nullable String agentSocket) {

        static Local ofThisProcess() {
            return new Local(
                    System.getProperty("user.name", ""),
                    Path.of(System.getProperty("user.home", "/")),
                    System.getenv("SSH_AUTH_SOCK"));
        }
    }

    /** What ssh does where no configuration says anything. */
    static SshSettings withoutConfiguration(Destination to, Local local) {
        return parse(List.of(), to, local);
    }

    /** Reads what {@code ssh -G} printed: one keyword, a space and its value a line. */
    static SshSettings parse(List<String> lines, Destination to, Local local) {
        Map<String, List<String>> values = new HashMap<>();
        for (String line : lines) {
            int space = line.indexOf(' ');
            if (space > 0) {
                String keyword = line.substring(0, space).toLowerCase(Locale.ROOT);
                values.computeIfAbsent(keyword, _ -> new ArrayList<>())
                        .add(line.substring(space + 1).strip());
            }
        }
        return new Reading(values, to, local).settings();
    }

    private record Reading(Map<String, List<String>> values, Destination to, Local local) {

        SshSettings settings() {
            return new SshSettings(
                    user(),
                    one("hostname", to.host()),
                    Integer.parseInt(one("port", Integer.toString(DEFAULT_PORT))),
                    given("hostkeyalias"),
                    paths(values.getOrDefault("identityfile", DEFAULT_KEYS).stream()),
                    one("identitiesonly", "no").equals("yes"),
                    agentSocket(),
                    knownHosts(),
                    jumps(),
                    obstacles());
        }

        private String user() {
            String user = to.user();
            return one("user", user == null ? local.user() : user);
        }

        private String one(String keyword, String otherwise) {
            String value = given(keyword);
            return value == null ? otherwise : value;
        }

        private @Nullable String given(String keyword) {
            String value = values.getOrDefault(keyword, List.of("none")).getFirst();
            return value.equals("none") ? null : value;
        }

        private @Nullable Path agentSocket() {
            String named =
                    values.getOrDefault("identityagent", List.of("SSH_AUTH_SOCK")).getFirst();
            return switch (named) {
                case "none" -> null;
                case "SSH_AUTH_SOCK", "$SSH_AUTH_SOCK" -> {
                    String socket = local.agentSocket();
                    yield socket == null || socket.isEmpty() ? null : Path.of(socket);
                }
                default -> paths(Stream.of(named)).stream().findFirst().orElse(null);
            };
        }

        private List<Path> knownHosts() {
            List<String> named = new ArrayList<>();
            named.addAll(values.getOrDefault("userknownhostsfile", List.of()));
            named.addAll(values.getOrDefault("globalknownhostsfile", List.of()));
            return paths(
                    named.isEmpty()
                            ? DEFAULT_KNOWN_HOSTS.stream()
                            : named.stream().flatMap(list -> Stream.of(list.split(" "))));
        }

        private List<String> jumps() {
            String jumps = given("proxyjump");
            return jumps == null ? List.of() : List.of(jumps.split(","));
        }

        private List<String> obstacles() {
            return NOT_IN_JSCH.stream()
                    .filter(keyword -> given(keyword) != null)
                    .map(keyword -> keyword + " " + given(keyword))
                    .toList();
        }

        /** Names with parts we cannot fill in are left out: they would mean another file. */
        private List<Path> paths(Stream<String> names) {
            return names.filter(name -> !name.equals("none") && !name.isEmpty())
                    .map(this::filledIn)
                    .filter(name -> !name.contains("%") && !name.contains("${"))
                    .map(Path::of)
                    .toList();
        }

        private String filledIn(String name) {
            String path = name.startsWith("~/") ? local.home() + name.substring(1) : name;
            return path.replace("%d", local.home().toString())
                    .replace("%u", local.user())
                    .replace("%h", one("hostname", to.host()))
                    .replace("%n", to.host())
                    .replace("%r", user());
        }
    }
}
