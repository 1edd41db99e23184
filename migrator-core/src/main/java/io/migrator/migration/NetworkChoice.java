package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.Instance;
import io.migrator.network.AddressMove;
import io.migrator.network.InetSocket;
import io.migrator.network.InterfaceAddress;
import io.migrator.network.NamespaceState;
import io.migrator.network.NetSpace;
import io.migrator.network.NetworkPlan;
import io.migrator.network.NetworkPlan.Mode;
import io.migrator.network.NetworkWish;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Chooses what becomes of a job's network (facts: network.md section 10), and finds which of its
 * sockets that does not suit.
 */
final class NetworkChoice {
    static final String CLOSE =
            "--network close lets the connections end: the program has to make them anew";

    private final Instance instance;
    private final NetworkWish wish;
    private final NetSpace space;
    private final JobSockets sockets;
    private final List<Finding> findings = new ArrayList<>();
    private final Set<InterfaceAddress> rebound = new LinkedHashSet<>();
    private @Nullable List<InterfaceAddress> present;

    NetworkChoice(Instance instance, NetworkWish wish, NetSpace space, JobSockets sockets) {
        this.instance = instance;
        this.wish = wish;
        this.space = space;
        this.sockets = sockets;
    }

    List<Finding> findings() {
        return findings;
    }

    /** Chooses; the addresses may be wrong where a finding forbids the move. */
    NetworkPlan choose() throws Problem, InterruptedException {
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
                return close();
            }
            case LISTEN_ONLY -> {
                return space.own() ? own() : listenOnly();
            }
            case REFUSE -> {
                sockets.all().stream()
                        .filter(each -> !each.loops())
                        .findFirst()
                        .ifPresent(each ->
                                add(
                                        "network",
                                        sockets.who(each) + " has a socket, " + each,
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

    private NetworkPlan listenOnly() throws Problem, InterruptedException {
        for (InetSocket each : sockets.all()) {
            if (each.connects() && !each.loops()) {
                add(
                        "connections",
                        sockets.who(each) + " has a connection, " + each,
                        "that address stays on this node",
                        "start such jobs with migrator run --service-ip or --net own; now: "
                                + CLOSE);
            } else {
                bound(each, List.of());
            }
        }
        return NetworkPlan.of(Mode.LISTEN_ONLY).rebinding(List.copyOf(rebound));
    }

    private NetworkPlan serviceIp(List<InterfaceAddress> addresses)
            throws Problem, InterruptedException {
        List<String> ips = addresses.stream().map(InterfaceAddress::ip).toList();
        for (InetSocket each : sockets.all()) {
            if (each.connects() && !each.loops() && !ips.contains(each.local())) {
                add(
                        "connections",
                        sockets.who(each) + " has a connection, " + each,
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
        return new NetworkPlan(Mode.SERVICE_IP, addresses, null, List.copyOf(rebound));
    }

    private NetworkPlan own() throws Problem, InterruptedException {
        NamespaceState state;
        try {
            state = NamespaceState.of(space);
        } catch (NamespaceState.NotMovable | IllegalArgumentException e) {
            add(
                    "network",
                    "the instance's network namespace cannot be made on another node",
                    String.valueOf(e.getMessage()),
                    "start it with migrator run --net own; now: " + CLOSE);
            return NetworkPlan.NONE;
        }
        List<String> ips = state.addresses().stream().map(InterfaceAddress::ip).toList();
        for (InetSocket each : sockets.all()) {
            boolean any = each.takesAny() || each.loops() || each.protocol().equals("raw");
            if (!any && !ips.contains(each.local())) {
                add(
                        "connections",
                        sockets.who(each) + " has a socket, " + each,
                        "the network gave it that address, and would give it another one elsewhere",
                        "let the program use an address that was given to it by hand");
            }
        }
        return NetworkPlan.of(state);
    }

    /** A namespace of its own that cannot be made anew Apptainer makes, as it made the first. */
    private NetworkPlan close() throws Problem, InterruptedException {
        if (space.own() && isMovable()) {
            add(
                    "network",
                    "the instance's network namespace moves along with its connections",
                    "without its addresses the program could not make new ones",
                    "--network own, or auto");
            return NetworkPlan.NONE;
        }
        for (InetSocket each : sockets.all()) {
            bound(each, List.of());
        }
        return NetworkPlan.of(Mode.CLOSE).rebinding(List.copyOf(rebound));
    }

    private boolean isMovable() throws Problem, InterruptedException {
        try {
            NamespaceState.of(space);
            return true;
        } catch (NamespaceState.NotMovable | IllegalArgumentException e) {
            return false;
        }
    }

    /** For a job whose owner may not change the node's network. */
    NetworkPlan chooseOfUser() throws Problem, InterruptedException {
        if (space.ofUser() && sockets.all().stream().anyMatch(InetSocket::connects)) {
            NetworkPlan plan = own();
            NamespaceState links = plan.links();
            if (links != null && !links.links().isEmpty()) {
                add(
                        "network",
                        "the instance's network namespace has more than loopback",
                        "only root could make it on another node",
                        "start it with migrator run --net own");
            }
            return plan;
        }
        for (InetSocket each : sockets.all()) {
            bound(each, List.of());
        }
        return NetworkPlan.NONE.rebinding(List.copyOf(rebound));
    }

    /** A socket that waits at an address which stays here. */
    private void bound(InetSocket socket, List<String> moving)
            throws Problem, InterruptedException {
        boolean stays =
                !socket.takesAny()
                        && !socket.loops()
                        && !moving.contains(socket.local())
                        && !socket.connects();
        if (!stays || socket.protocol().equals("raw") || space.own()) {
            return;
        }
        Optional<InterfaceAddress> own = rebindable(socket);
        if (own.isPresent()) {
            rebound.add(own.get());
            return;
        }
        add(
                "bound-address",
                sockets.who(socket) + " waits at an address of this node, " + socket,
                "criu: Can't bind inet socket back: Cannot assign requested address",
                "let it listen on 0.0.0.0, or start the job with migrator run --net own"
                        + (wish.rebind() || !socket.takesPort()
                                ? ""
                                : ", or let it listen at the target's address by --rebind"));
    }

    private Optional<InterfaceAddress> rebindable(InetSocket socket)
            throws Problem, InterruptedException {
        if (!wish.rebind() || !socket.takesPort()) {
            return Optional.empty();
        }
        if (present == null) {
            present = AddressMove.present(space);
        }
        return present.stream()
                .filter(each -> !InterfaceAddress.isScoped(each.ip()))
                .filter(each -> each.ip().equals(socket.local()))
                .findFirst();
    }

    private void add(String check, String what, String because, String tryThis) {
        findings.add(Finding.forbidden(check, what, because, tryThis));
    }
}
