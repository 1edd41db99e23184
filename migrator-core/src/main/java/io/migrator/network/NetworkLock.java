package io.migrator.network;

import io.migrator.instance.Instance;
import io.migrator.linux.Command;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The nftables table that criu makes in the instance's network namespace and that drops the packets
 * of each established connection of the dumped tree (facts: network.md section 1). The same table
 * must stand on the target before the restore, which deletes it at the right moment; on the source
 * it stays after the dump and is removed here. Any thread.
 *
 * @param instance in whose network namespace the table stands
 * @param table its name and contents
 */
public record NetworkLock(Instance instance, Table table) {
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    /** One of the first lines of a dump's log (criu/util.c, util_init). */
    private static final Pattern RUN_ID = Pattern.compile("CRIU run id = ([0-9a-f-]{36})");

    private static final int HEAD_LINES = 20;

    /**
     * criu builds {@code "inet CRIU-" + id} in 32 bytes (criu/netfilter.c): 26 characters remain.
     */
    private static final int NAME_LENGTH = 26;

    private static final Pattern NAME = Pattern.compile("CRIU-[0-9a-f-]{21}");
    private static final Pattern ADDRESS = Pattern.compile("[0-9a-f:.]{2,45}");
    private static final Pattern ELEMENT =
            Pattern.compile("([0-9a-f:.]+) \\. ([0-9]+) \\. ([0-9a-f:.]+) \\. ([0-9]+)");

    /**
     * A connection, as criu's rules see its packets.
     *
     * @param from address and port a packet comes from
     * @param to address and port it goes to
     */
    public record Connection(String from, int fromPort, String to, int toPort) {
        /** Refuses what is not two addresses and two ports: it may come from a peer. */
        public Connection {
            boolean sound =
                    ADDRESS.matcher(from).matches()
                            && ADDRESS.matcher(to).matches()
                            && fromPort > 0
                            && fromPort <= 0xffff
                            && toPort > 0
                            && toPort <= 0xffff;
            if (!sound) {
                throw new IllegalArgumentException("not a connection: " + from + " to " + to);
            }
        }

        private String element() {
            return from + " . " + fromPort + " . " + to + " . " + toPort;
        }
    }

    /** The table's name and the connections it locks; what crosses to the target. */
    public record Table(String name, List<Connection> connections) {
        /** Refuses a name that is not criu's. */
        public Table {
            if (!NAME.matcher(name).matches()) {
                throw new IllegalArgumentException("not a table of criu: " + name);
            }
            connections = List.copyOf(connections);
        }
    }

    /** The name of the table of a dump that may have ended in any way: it may stand or not. */
    public static String nameOf(Path dumpLog) throws Problem {
        return ("CRIU-" + runId(dumpLog)).substring(0, NAME_LENGTH);
    }

    /** The lock of a dump that is held at post-dump. */
    public static NetworkLock ofDump(Instance instance, Path dumpLog)
            throws Problem, InterruptedException {
        NetworkLock bare = new NetworkLock(instance, new Table(nameOf(dumpLog), List.of()));
        String listed =
                bare.nft("-n", "list", "table", "inet", bare.table.name)
                        .orFail("criu's network lock is not there")
                        .out();
        List<Connection> connections = new ArrayList<>();
        Matcher element = ELEMENT.matcher(listed);
        while (element.find()) {
            connections.add(
                    new Connection(
                            element.group(1),
                            Integer.parseInt(element.group(2)),
                            element.group(3),
                            Integer.parseInt(element.group(4))));
        }
        return new NetworkLock(instance, new Table(bare.table.name, connections));
    }

    /** Two processes of criu tell their run: the service first, then the dump, which is meant. */
    static String runId(Path dumpLog) throws Problem {
        try (Stream<String> lines = Files.lines(dumpLog, StandardCharsets.ISO_8859_1)) {
            return lines.limit(HEAD_LINES)
                    .map(RUN_ID::matcher)
                    .filter(Matcher::find)
                    .map(run -> run.group(1))
                    .reduce((first, second) -> second)
                    .orElseThrow(() -> new IOException("no run id in " + dumpLog));
        } catch (IOException e) {
            throw Problem.failed("criu's log does not name its run").because(e.toString());
        }
    }

    /** Makes the table in the instance's network namespace; without connections none is needed. */
    public void create() throws Problem, InterruptedException {
        if (!table.connections.isEmpty()) {
            nft(ruleset()).orFail("the network lock could not be made");
        }
    }

    /** Removes the table; no complaint if it is gone. */
    public void delete() throws Problem, InterruptedException {
        // "destroy" (no error if it is missing) needs nft 1.0.7 and kernel 6.3
        orFail(nft("delete", "table", "inet", table.name), table.name);
    }

    /**
     * Removes a table by its name.
     *
     * @param instance in whose network namespace it stands; if null it is looked for in ours, for a
     *     namespace of the instance's own is gone with it
     */
    public static void delete(@Nullable Instance instance, String name)
            throws Problem, InterruptedException {
        Table table = new Table(name, List.of());
        if (instance != null) {
            new NetworkLock(instance, table).delete();
            return;
        }
        List<String> here = List.of("nft", "delete", "table", "inet", table.name);
        orFail(Command.of(here).apart().run(DEADLINE), table.name);
    }

    private static void orFail(Command.Result result, String name) throws Problem {
        if (!result.ok() && !result.err().contains("No such file")) {
            result.orFail("the network lock " + name + " could not be removed");
        }
    }

    /** The rules of criu/netfilter.c, nftables_init_connection_lock, in one transaction. */
    private String ruleset() {
        StringBuilder text = new StringBuilder("table inet " + table.name + " {\n");
        for (String family : List.of("4", "6")) {
            List<String> elements =
                    table.connections.stream()
                            .filter(each -> each.from.contains(":") == family.equals("6"))
                            .map(Connection::element)
                            .toList();
            String type = "ipv" + family + "_addr";
            text.append("set conns").append(family).append(" { type ").append(type);
            text.append(" . inet_service . ").append(type).append(" . inet_service;\n");
            if (!elements.isEmpty()) {
                text.append("elements = { ").append(String.join(", ", elements)).append(" }\n");
            }
            text.append("}\n");
        }
        for (String hook : List.of("output", "input")) {
            text.append("chain ").append(hook).append(" { type filter hook ").append(hook);
            text.append(" priority 0;\nmeta mark 0xc114 accept\n");
            text.append("ip saddr . tcp sport . ip daddr . tcp dport @conns4 drop\n");
            text.append("ip6 saddr . tcp sport . ip6 daddr . tcp dport @conns6 drop\n}\n");
        }
        return text.append("}\n").toString();
    }

    private Command.Result nft(String... words) throws Problem, InterruptedException {
        List<String> argv = new ArrayList<>();
        try {
            Proc appinit = new Proc(instance.appinit());
            if (!appinit.namespace("net").equals(Proc.self().namespace("net"))) {
                argv.addAll(List.of("nsenter", "--net=" + appinit.file("ns/net")));
            }
        } catch (IOException e) {
            throw Problem.failed("the network of the instance is not seen").because(e.toString());
        }
        argv.add("nft");
        argv.addAll(List.of(words));
        return Command.of(argv).apart().run(DEADLINE);
    }
}
