package io.migrator.network;

import io.migrator.linux.Command;
import io.migrator.network.NftBatch.Family;
import io.migrator.problem.Problem;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * An nftables table of our own in one network namespace, named after the migration: it drops what
 * must not reach a job, or leave it, while it stands still. One table serves the whole way: made
 * empty, filled where no time matters and where it does, opened by one more rule, and deleted at
 * leisure (deleting takes the kernel 10 to 20 ms, all else about 4). criu's own lock is not used
 * (docs/decisions/0013). Nothing here remembers: the table's name is all, so that a later process
 * can delete it. Any thread.
 *
 * <p>In its chains is what criu itself sends (criu/include/sk-inet.h, SOCCR_MARK) let through.
 */
public final class NetworkLock {
    private static final String BEFORE = "migrator-";
    private static final String GONE = "No such file";
    private static final Pattern ID = Pattern.compile("[a-z0-9]{1,64}");

    private static final Pattern TABLE =
            Pattern.compile("(?m)^table (?:inet|arp) migrator-([a-z0-9]{1,64})$");

    private final NetSpace space;
    private final String name;

    /**
     * Nothing is made yet.
     *
     * @param id of the migration
     */
    public NetworkLock(NetSpace space, String id) {
        if (!ID.matcher(id).matches()) {
            throw new IllegalArgumentException("not a migration: " + id);
        }
        this.space = space;
        this.name = name(id);
    }

    /** The name of the table of a migration. */
    public static String name(String id) {
        return BEFORE + id;
    }

    /** The migrations that have a lock in the node's network. */
    public static List<String> present() throws Problem, InterruptedException {
        String out =
                NetSpace.here()
                        .run("nft", "list", "tables")
                        .orFail("nftables cannot be used")
                        .out();
        return TABLE.matcher(out).results().map(found -> found.group(1)).distinct().toList();
    }

    /** All rules of the node. */
    public static String rules() throws Problem, InterruptedException {
        return NetSpace.here()
                .run("nft", "list", "ruleset")
                .orFail("nftables cannot be used")
                .out();
    }

    /** Makes the table, with what text is given for it. */
    public void create(String filling) throws Problem, InterruptedException {
        space.feed("the network lock could not be made", empty() + filling, "nft", "-f", "-");
    }

    private String empty() {
        return """
        table inet NAME {
            set own4 { type ipv4_addr; }
            set own6 { type ipv6_addr; }
            set pairs4 { type ipv4_addr . inet_service . ipv4_addr . inet_service; }
            set pairs6 { type ipv6_addr . inet_service . ipv6_addr . inet_service; }
            set ports { type inet_service; }
            set doors4 { type ipv4_addr . inet_service; }
            set doors6 { type ipv6_addr . inet_service; }
            chain in {
                type filter hook prerouting priority raw;
                meta mark 0xc114 accept
                ip daddr @own4 drop
                ip6 daddr @own6 drop
                ip saddr . tcp sport . ip daddr . tcp dport @pairs4 drop
                ip6 saddr . tcp sport . ip6 daddr . tcp dport @pairs6 drop
                tcp flags & (syn|ack) == syn tcp dport @ports drop
                tcp flags & (syn|ack) == syn ip daddr . tcp dport @doors4 drop
                tcp flags & (syn|ack) == syn ip6 daddr . tcp dport @doors6 drop
            }
            chain out {
                type filter hook output priority raw;
                meta mark 0xc114 accept
                ip saddr @own4 drop
                ip6 saddr @own6 drop
                ip saddr . tcp sport . ip daddr . tcp dport @pairs4 drop
                ip6 saddr . tcp sport . ip6 daddr . tcp dport @pairs6 drop
            }
        }
        table arp NAME {
            set own4 { type ipv4_addr; }
            chain in {
                type filter hook input priority 0;
                arp daddr ip @own4 drop
            }
            chain out {
                type filter hook output priority 0;
                arp saddr ip @own4 drop
            }
        }
        """
                .replace("NAME", name);
    }

    /**
     * Text that fills the table: connections to these sockets can no more be made; those that are
     * stay.
     */
    public String closing(List<InetSocket> listeners) {
        return adding("inet", "ports", ports(listeners))
                + adding("inet", "doors4", doors(listeners, false))
                + adding("inet", "doors6", doors(listeners, true));
    }

    private static List<String> ports(List<InetSocket> listeners) {
        return listeners.stream()
                .filter(InetSocket::takesAny)
                .map(each -> String.valueOf(each.localPort()))
                .toList();
    }

    private static List<String> doors(List<InetSocket> listeners, boolean six) {
        return listeners.stream()
                .filter(each -> !each.takesAny() && InterfaceAddress.isSix(each.local()) == six)
                .map(each -> each.local() + " . " + each.localPort())
                .toList();
    }

    /** Text that fills the table: nothing goes to or comes from these, nor answers for them. */
    public String silencing(List<InterfaceAddress> addresses) {
        List<String> four = ips(addresses, false);
        return adding("inet", "own4", four)
                + adding("arp", "own4", four)
                + adding("inet", "own6", ips(addresses, true));
    }

    private static List<String> ips(List<InterfaceAddress> addresses, boolean six) {
        return addresses.stream()
                .filter(each -> each.six() == six)
                .map(InterfaceAddress::ip)
                .toList();
    }

    /** Text that fills the table: nothing goes through these connections either way. */
    public String cutting(List<Pair> pairs) {
        return adding("inet", "pairs4", pairs(pairs, false))
                + adding("inet", "pairs6", pairs(pairs, true));
    }

    private static List<String> pairs(List<Pair> pairs, boolean six) {
        return pairs.stream()
                .filter(each -> InterfaceAddress.isSix(each.from()) == six)
                .map(Pair::element)
                .toList();
    }

    private String adding(String family, String set, List<String> elements) {
        return elements.isEmpty()
                ? ""
                : "add element %s %s %s { %s }%n"
                        .formatted(
                                family,
                                name,
                                set,
                                String.join(", ", elements.stream().distinct().toList()));
    }

    /** What {@link #silencing} says, to be done at once. */
    TableChange readyToSilence(List<InterfaceAddress> addresses) throws Problem {
        NftBatch changes = new NftBatch();
        changes.add(Family.INET, name, "own4", bytes(addresses, false));
        changes.add(Family.ARP, name, "own4", bytes(addresses, false));
        changes.add(Family.INET, name, "own6", bytes(addresses, true));
        return TableChange.of(space, changes, silencing(addresses));
    }

    private static List<byte[]> bytes(List<InterfaceAddress> addresses, boolean six) {
        return addresses.stream()
                .filter(each -> each.six() == six)
                .map(InterfaceAddress::bytes)
                .toList();
    }

    /** A change after which the table drops nothing any more. */
    TableChange readyToOpen() throws Problem {
        NftBatch changes = new NftBatch();
        StringBuilder text = new StringBuilder();
        for (Family family : Family.values()) {
            for (String chain : List.of("in", "out")) {
                changes.accept(family, name, chain);
                String word = family.name().toLowerCase(Locale.ROOT);
                text.append("insert rule %s %s %s accept%n".formatted(word, name, chain));
            }
        }
        return TableChange.of(space, changes, text.toString());
    }

    /** Whether it is there: made first and removed last, it tells whose the network is. */
    boolean stands() throws Problem, InterruptedException {
        Command.Result result = space.run("nft", "list", "table", "inet", name);
        return !isGone(result) && result.orFail("nftables cannot be used").ok();
    }

    /** Other programs say the same of themselves, if nft is missing. */
    private static boolean isGone(Command.Result result) {
        return result.err().startsWith("Error: ") && result.err().contains(GONE);
    }

    /** Removes it; no complaint if it is gone, or never was. */
    public void delete() throws Problem, InterruptedException {
        for (String family : List.of("inet", "arp")) {
            // "destroy" (no error if it is missing) needs nft 1.0.7 and kernel 6.3
            Command.Result result = space.run("nft", "delete", "table", family, name);
            if (!result.ok() && !isGone(result)) {
                result.orFail("the network lock " + name + " could not be removed");
            }
        }
    }

    /**
     * One direction of a connection, as nft's sets have it. May come from a peer.
     *
     * @param from address and port a packet comes from
     * @param to address and port it goes to
     */
    public record Pair(String from, int fromPort, String to, int toPort) {
        private static final int PORT_MAX = 0xffff;

        /** Refuses what is not two addresses and two ports. */
        public Pair {
            from = InterfaceAddress.literal(from);
            to = InterfaceAddress.literal(to);
            if (fromPort < 1 || fromPort > PORT_MAX || toPort < 1 || toPort > PORT_MAX) {
                throw new IllegalArgumentException("not ports: " + fromPort + ", " + toPort);
            }
        }

        private String element() {
            return from + " . " + fromPort + " . " + to + " . " + toPort;
        }
    }
}
