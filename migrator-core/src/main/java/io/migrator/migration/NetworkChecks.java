package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Proc;
import io.migrator.linux.User;
import io.migrator.network.AddressMove;
import io.migrator.network.InetSocket;
import io.migrator.network.InterfaceAddress;
import io.migrator.network.NamespaceState;
import io.migrator.network.NetSpace;
import io.migrator.network.NetworkPlan;
import io.migrator.network.NetworkWish;
import io.migrator.network.NetworkWish.Kind;
import io.migrator.network.UnixSockets;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What becomes of a job's network, what forbids that on the source, and what the target is asked.
 */
final class NetworkChecks {
    private static final int LOOK_MILLIS = 50;

    private final Instance instance;
    private final NetworkWish wish;
    private final NetSpace space;
    private final JobSockets sockets;
    private final List<String> names = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();
    private List<String> devices = List.of();

    /** What was chosen; its addresses may be wrong where something forbids the move. */
    private NetworkPlan plan = NetworkPlan.NONE;

    private NetworkChecks(Instance instance, NetworkWish wish, JobSockets sockets) throws Problem {
        this.instance = instance;
        this.wish = wish;
        this.space = NetSpace.of(instance);
        this.sockets = sockets;
    }

    /** Looks; changes nothing. */
    static NetworkChecks of(Instance instance, ProcessTree tree, NetworkWish wish)
            throws Problem, InterruptedException {
        try {
            NetworkChecks checks = new NetworkChecks(instance, wish, JobSockets.of(instance, tree));
            checks.look(tree);
            return checks;
        } catch (IOException e) {
            throw Problem.failed("the job's sockets are not seen").because(e.toString());
        }
    }

    NetworkPlan plan() {
        return plan;
    }

    /** What was chosen, and why; empty if the job has nothing of a network. */
    String told() {
        String why = wish.kind() == Kind.AUTO ? "the job was started so" : wished();
        String ips = names(plan.addresses());
        String what =
                switch (plan.mode()) {
                    case SERVICE_IP -> "%s moves along (%s)".formatted(ips, why);
                    case OWN ->
                            "its own network namespace moves along, with %s (%s)"
                                    .formatted(ips.isEmpty() ? "loopback only" : ips, why);
                    case CLOSE -> "the job's TCP connections end (%s)".formatted(why);
                    case LISTEN_ONLY, UNTOUCHED ->
                            sockets.all().stream().allMatch(InetSocket::loops)
                                    ? ""
                                    : "what listens moves along; there are no connections to other"
                                            + " machines";
                };
        String rebound =
                plan.rebound().isEmpty()
                        ? ""
                        : "; what listens at %s will listen at the target's address (--rebind)"
                                .formatted(names(plan.rebound()));
        return what.isEmpty() ? "" : "network: " + what + rebound;
    }

    private static String names(List<InterfaceAddress> addresses) {
        return String.join(", ", addresses.stream().map(Object::toString).toList());
    }

    private String wished() {
        return "--network " + wish.kind().name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    List<Finding> findings() {
        return findings;
    }

    /** What the target is asked. */
    NetworkNeeds needs() throws Problem, InterruptedException {
        boolean apart = space.own() && plan.links() == null; // inside it has other names
        Set<String> wanted = new TreeSet<>(apart ? List.of() : devices);
        plan.rebound().forEach(each -> wanted.add(each.device()));
        Map<String, AddressMove.Interface> interfaces = new TreeMap<>();
        NamespaceState own = plan.links();
        if (own != null) {
            wanted.removeAll(own.links().stream().map(NamespaceState.Link::name).toList());
            own.links().forEach(each -> wanted.add(each.parent()));
        } else {
            for (InterfaceAddress each : plan.addresses()) {
                wanted.add(each.device());
                if (findings.isEmpty()) { // else it may not exist
                    interfaces.putIfAbsent(each.device(), AddressMove.describe(each.device()));
                }
            }
        }
        return new NetworkNeeds(
                plan,
                sockets.all().stream().filter(each -> !(each.connects() && each.loops())).toList(),
                names,
                List.copyOf(wanted),
                interfaces,
                space.own());
    }

    private void look(ProcessTree tree) throws IOException, Problem, InterruptedException {
        SocketChecks more = SocketChecks.of(instance, tree, sockets.links());
        findings.addAll(more.findings());
        devices = more.devices();
        if (!space.own()) {
            UnixSockets.names(new Proc(instance.appinit()))
                    .forEach((name, link) -> {
                        if (sockets.links().contains(link)) {
                            names.add(name);
                        }
                    });
        }
        unaccepted();
        boolean wanted =
                wish.kind() == Kind.SERVICE_IP || wish.kind() == Kind.OWN && !space.ofUser();
        if (wanted && !User.isRoot()) {
            add(
                    "network",
                    "only root can move addresses between nodes",
                    wished() + " was asked for",
                    "ask the site for an instance of root");
        }
        NetworkChoice choice = new NetworkChoice(instance, wish, space, sockets);
        plan = User.isRoot() ? choice.choose() : choice.chooseOfUser(); // UserChecks see the rest
        findings.addAll(choice.findings());
        if (plan.keeps()) {
            outside();
        }
        if (plan.movesAddresses()) {
            foreign();
        }
        plan.addresses().forEach(this::notSane);
    }

    /** Through loopback to a program of the node: the other end would stay. */
    private void outside() throws IOException {
        List<InetSocket> all = InetSocket.tcpOf(space.process());
        for (InetSocket own : sockets.all()) {
            if (own.connects()
                    && own.loops()
                    && all.stream().anyMatch(e -> isOutside(e, own, all))) {
                add(
                        "connections",
                        sockets.who(own) + " has a connection, " + own,
                        "its other end is a program of this node outside the instance",
                        "end that program's connections for the move; or: " + NetworkChoice.CLOSE);
            }
        }
    }

    /** Waits as long as a migration does for the job to accept what has come in. */
    private void unaccepted() throws IOException, InterruptedException {
        long end = System.nanoTime() + Migration.DRAIN.toNanos();
        Map<String, InetSocket> waiting = unacceptedNow();
        while (!waiting.isEmpty() && System.nanoTime() < end) {
            Thread.sleep(LOOK_MILLIS);
            waiting.keySet().retainAll(unacceptedNow().keySet());
        }
        for (InetSocket door : Set.copyOf(waiting.values())) {
            add(
                    "unaccepted",
                    sockets.who(door) + " does not accept its connections, " + door,
                    "criu: inet: In-flight connection; it would be lost",
                    "try again when the program accepts connections");
        }
    }

    /** Connections that no process has, and who listens there. */
    private Map<String, InetSocket> unacceptedNow() throws IOException {
        List<InetSocket> all = InetSocket.tcpOf(space.process());
        Map<String, InetSocket> found = new TreeMap<>();
        for (InetSocket door : all) {
            if (door.listens() && sockets.has(door)) {
                all.stream()
                        .filter(each -> each.orphaned() && door.admits(each))
                        .forEach(each -> found.put(each.remote() + " " + each.remotePort(), door));
            }
        }
        return found;
    }

    /** A connection that was not accepted yet has no process, but whoever listens there. */
    private boolean isOutside(InetSocket other, InetSocket own, List<InetSocket> all) {
        if (!other.isPeerOf(own) || sockets.has(other)) {
            return false;
        }
        return !other.orphaned()
                || all.stream().anyMatch(door -> door.admits(other) && !sockets.has(door));
    }

    /** Somebody else's connections would end with the address. */
    private void foreign() throws Problem, IOException {
        List<String> ips = plan.addresses().stream().map(InterfaceAddress::ip).toList();
        List<InetSocket> there = InetSocket.of(space.process());
        // once more: the job forks and makes sockets while we look, and ends and closes them
        sockets.hold(ProcessTree.of(instance));
        Set<String> still = new HashSet<>();
        InetSocket.of(space.process()).forEach(each -> still.add(each.link()));
        there.removeIf(each -> !still.contains(each.link()));
        for (InetSocket each : there) {
            if (!each.orphaned() && ips.contains(each.local()) && !sockets.has(each)) {
                add(
                        "service-ip",
                        "another program of this node uses " + each.local() + ": " + each,
                        "it would lose that address",
                        "give the job an address of its own");
            }
        }
    }

    private void notSane(InterfaceAddress address) {
        if (InterfaceAddress.isScoped(address.ip())) {
            add(
                    "service-ip",
                    address + " belongs to its interface",
                    "link-local addresses cannot move",
                    "choose another");
        }
    }

    private void add(String check, String what, String because, String tryThis) {
        findings.add(Finding.forbidden(check, what, because, tryThis));
    }
}
