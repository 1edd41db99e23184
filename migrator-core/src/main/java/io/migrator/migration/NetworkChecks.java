package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.Proc;
import io.migrator.linux.User;
import io.migrator.network.AddressMove;
import io.migrator.network.InetSocket;
import io.migrator.network.InterfaceAddress;
import io.migrator.network.NamespaceState;
import io.migrator.network.NetSpace;
import io.migrator.network.NetworkPlan;
import io.migrator.network.NetworkPlan.Mode;
import io.migrator.network.NetworkWish;
import io.migrator.network.NetworkWish.Kind;
import io.migrator.network.UnixSockets;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Chooses what becomes of a job's network (facts: network.md section 10), and finds what forbids
 * that on the source.
 */
final class NetworkChecks {
    private static final String CLOSE =
            "--network close lets the connections end: the program has to make them anew";

    private final Instance instance;
    private final NetworkWish wish;
    private final NetSpace space;
    private final Map<String, Member> holders = new HashMap<>();
    private final List<InetSocket> sockets = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();
    private List<String> devices = List.of();

    /** What was chosen; its addresses may be wrong where something forbids the move. */
    private NetworkPlan plan = NetworkPlan.NONE;

    private NetworkChecks(Instance instance, NetworkWish wish) throws Problem {
        this.instance = instance;
        this.wish = wish;
        this.space = NetSpace.of(instance);
    }

    /** Looks; changes nothing. */
    static NetworkChecks of(Instance instance, ProcessTree tree, NetworkWish wish)
            throws Problem, InterruptedException {
        NetworkChecks checks = new NetworkChecks(instance, wish);
        try {
            checks.look(tree);
        } catch (IOException e) {
            throw Problem.failed("the job's sockets are not seen").because(e.toString());
        }
        return checks;
    }

    NetworkPlan plan() {
        return plan;
    }

    /** What was chosen, and why; empty if the job has nothing of a network. */
    String told() {
        String why =
                wish.kind() == Kind.AUTO
                        ? "the job was started so"
                        : "--network "
                                + wish.kind().name().toLowerCase(Locale.ROOT).replace('_', '-');
        String ips = String.join(", ", plan.addresses().stream().map(Object::toString).toList());
        return switch (plan.mode()) {
            case SERVICE_IP -> "network: %s moves along (%s)".formatted(ips, why);
            case OWN ->
                    "network: its own network namespace moves along, with %s (%s)"
                            .formatted(ips.isEmpty() ? "loopback only" : ips, why);
            case CLOSE -> "network: the job's TCP connections end (%s)".formatted(why);
            case LISTEN_ONLY, UNTOUCHED ->
                    sockets.stream().allMatch(InetSocket::loops)
                            ? ""
                            : "network: what listens moves along; there are no connections to"
                                    + " other machines";
        };
    }

    List<Finding> findings() {
        return findings;
    }

    /** What the target is asked. */
    NetworkNeeds needs() throws Problem, InterruptedException {
        Set<String> wanted = new TreeSet<>(devices);
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
                sockets.stream().filter(each -> !(each.connects() && each.loops())).toList(),
                names,
                List.copyOf(wanted),
                interfaces);
    }

    private void look(ProcessTree tree) throws IOException, Problem, InterruptedException {
        hold(tree);
        InetSocket.of(new Proc(instance.appinit())).stream()
                .filter(each -> holders.containsKey(each.link()))
                .forEach(sockets::add);
        SocketChecks more = SocketChecks.of(instance, tree, holders.keySet());
        findings.addAll(more.findings());
        devices = more.devices();
        if (!space.own()) {
            UnixSockets.names(new Proc(instance.appinit()))
                    .forEach((name, link) -> {
                        if (holders.containsKey(link)) {
                            names.add(name);
                        }
                    });
        }
        if (!User.isRoot()) {
            if (wish.kind() == Kind.SERVICE_IP || wish.kind() == Kind.OWN) {
                add(
                        "network",
                        "only root can move addresses between nodes",
                        "--network " + wish.kind() + " was asked for",
                        "ask the site for an instance of root, or use --network close");
            }
            return; // UserChecks refuse connections
        }
        plan = choose();
        if (plan.keeps()) {
            outside();
        }
        if (plan.movesAddresses()) {
            foreign(tree);
        }
        plan.addresses().forEach(this::notSane);
    }

    private void hold(ProcessTree tree) {
        for (Member member : tree.members()) {
            try {
                member.process()
                        .descriptors()
                        .values()
                        .forEach(link -> holders.putIfAbsent(link, member));
            } catch (IOException e) {
                // it ended while we looked
            }
        }
    }

    private NetworkPlan choose() throws Problem, InterruptedException {
        switch (wish.kind()) {
            case AUTO -> {
                if (space.own()) {
                    return own();
                }
                List<InterfaceAddress> named = named();
                return named.isEmpty() ? listenOnly() : serviceIp(named);
            }
            case SERVICE_IP -> {
                if (space.own()) {
                    add(
                            "network",
                            "the instance has a network namespace of its own",
                            "its addresses are not on the node's interfaces",
                            "--network own, or auto");
                }
                return serviceIp(wish.addresses());
            }
            case OWN -> {
                if (!space.own()) {
                    add(
                            "network",
                            "the instance has no network namespace of its own",
                            "it uses the node's",
                            "start it with migrator run --net own, or name its address by"
                                    + " --network service-ip=");
                    return NetworkPlan.NONE;
                }
                return own();
            }
            case CLOSE -> {
                return new NetworkPlan(Mode.CLOSE, List.of(), null);
            }
            case LISTEN_ONLY -> {
                return space.own() ? own() : listenOnly();
            }
            case REFUSE -> {
                sockets.stream()
                        .filter(each -> !each.loops())
                        .findFirst()
                        .ifPresent(each ->
                                add(
                                        "network",
                                        who(each) + " has a socket, " + each,
                                        "--network refuse was asked for",
                                        "--network auto"));
                return space.own() ? own() : listenOnly();
            }
        }
        throw new IllegalStateException();
    }

    /** What {@code run --service-ip} noted; that variable may have been set by anybody. */
    private List<InterfaceAddress> named() throws Problem {
        String noted = instance.start().environment().get(NetworkWish.VARIABLE);
        try {
            return noted == null ? List.of() : NetworkWish.addresses(noted);
        } catch (IllegalArgumentException e) {
            throw Problem.refused("the instance has a wrong " + NetworkWish.VARIABLE)
                    .because(e.getMessage())
                    .tryThis("name its address by --network service-ip=");
        }
    }

    private NetworkPlan listenOnly() {
        for (InetSocket each : sockets) {
            if (each.connects() && !each.loops()) {
                add(
                        "connections",
                        who(each) + " has a connection, " + each,
                        "that address stays on this node",
                        "start such jobs with migrator run --service-ip or --net own; now: "
                                + CLOSE);
            } else {
                bound(each, List.of());
            }
        }
        return new NetworkPlan(Mode.LISTEN_ONLY, List.of(), null);
    }

    private NetworkPlan serviceIp(List<InterfaceAddress> addresses)
            throws Problem, InterruptedException {
        List<String> ips = addresses.stream().map(InterfaceAddress::ip).toList();
        for (InetSocket each : sockets) {
            if (each.connects() && !each.loops() && !ips.contains(each.local())) {
                add(
                        "connections",
                        who(each) + " has a connection, " + each,
                        "its address is not one that moves, " + String.join(", ", ips),
                        "let the program bind its connections to that address (its environment"
                                + " has it in "
                                + NetworkWish.VARIABLE
                                + "); now: "
                                + CLOSE);
            } else {
                bound(each, ips);
            }
        }
        List<InterfaceAddress> here = AddressMove.present(space);
        for (InterfaceAddress each : addresses) {
            if (!here.contains(each)) {
                add(
                        "service-ip",
                        each + " is not here",
                        "this node has "
                                + String.join(
                                        ", ",
                                        here.stream().map(InterfaceAddress::toString).toList()),
                        "name it as `ip address` does: ADDRESS/LENGTH@DEVICE");
            }
        }
        for (InterfaceAddress each : addresses) {
            List<String> others = here.contains(each) ? AddressMove.goingWith(each) : List.of();
            if (!others.isEmpty()) {
                add(
                        "service-ip",
                        each + " is the first address of its network",
                        "the kernel would take the others off with it: "
                                + String.join(", ", others),
                        "sysctl -w net/ipv4/conf/%s/promote_secondaries=1"
                                .formatted(each.device()));
            }
        }
        return new NetworkPlan(Mode.SERVICE_IP, addresses, null);
    }

    /** Through loopback to a program of the node: the other end would stay. */
    private void outside() throws IOException {
        List<InetSocket> all = InetSocket.tcpOf(space.process());
        for (InetSocket own : sockets) {
            if (own.connects() && own.loops()) {
                all.stream()
                        .filter(each -> each.isPeerOf(own) && !each.orphaned())
                        .filter(each -> !holders.containsKey(each.link()))
                        .findFirst()
                        .ifPresent(each ->
                                add(
                                        "connections",
                                        who(own) + " has a connection, " + own,
                                        "its other end is a program of this node outside the"
                                                + " instance",
                                        "end that program's connections for the move; or: "
                                                + CLOSE));
            }
        }
    }

    /** Somebody else's connections would end with the address. */
    private void foreign(ProcessTree tree) throws IOException {
        List<String> ips = plan.addresses().stream().map(InterfaceAddress::ip).toList();
        List<InetSocket> there = InetSocket.of(space.process());
        hold(tree); // once more: the job makes sockets while we look, and closes them
        Set<String> still = new HashSet<>();
        InetSocket.of(space.process()).forEach(each -> still.add(each.link()));
        there.removeIf(each -> !still.contains(each.link()));
        for (InetSocket each : there) {
            if (!each.orphaned()
                    && ips.contains(each.local())
                    && !holders.containsKey(each.link())) {
                add(
                        "service-ip",
                        "another program of this node uses " + each.local() + ": " + each,
                        "it would lose that address",
                        "give the job an address of its own");
            }
        }
    }

    private NetworkPlan own() throws Problem, InterruptedException {
        try {
            NamespaceState state = NamespaceState.of(space);
            return new NetworkPlan(Mode.OWN, state.addresses(), state);
        } catch (NamespaceState.NotMovable | IllegalArgumentException e) {
            add(
                    "network",
                    "the instance's network namespace cannot be made on another node",
                    String.valueOf(e.getMessage()),
                    "start it with migrator run --net own; now: " + CLOSE);
            return NetworkPlan.NONE;
        }
    }

    /** A socket that waits at an address which stays here. */
    private void bound(InetSocket socket, List<String> moving) {
        boolean stays =
                !socket.takesAny()
                        && !socket.loops()
                        && !moving.contains(socket.local())
                        && !socket.connects();
        if (stays && !socket.protocol().equals("raw")) {
            add(
                    "bound-address",
                    who(socket) + " waits at an address of this node, " + socket,
                    "criu: Can't bind inet socket back: Cannot assign requested address",
                    "let it listen on 0.0.0.0, or start the job with migrator run --net own");
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

    private String who(InetSocket socket) {
        Member member = holders.get(socket.link());
        return member == null
                ? "a process"
                : "process %d (%s)".formatted(member.pid(), member.name());
    }

    private void add(String check, String what, String because, String tryThis) {
        findings.add(Finding.forbidden(check, what, because, tryThis));
    }
}
