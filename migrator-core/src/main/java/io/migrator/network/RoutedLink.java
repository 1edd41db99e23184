package io.migrator.network;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.linux.Command;
import io.migrator.network.NamespaceState.Kind;
import io.migrator.network.NamespaceState.Link;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * The node's side of a veth pair by which a network namespace of a job's own is reached where it
 * can have no hardware address of its own on the wire (InfiniBand, port security): the node routes
 * the job's addresses into the pair and answers for them with its own hardware address (facts:
 * network.md section 3).
 */
final class RoutedLink {
    /** The namespace's way out; the node's end needs no address. */
    static final String GATEWAY4 = "169.254.1.1";

    static final String GATEWAY6 = "fe80::1";

    /** Of the node's end; the same everywhere, so that the job's own table stays right. */
    static final String FAR = "02:00:00:00:00:01";

    private RoutedLink() {}

    /** The interface on which this node answers for an address; null if it does not. */
    static @Nullable String answeredOn(List<InterfaceAddress> addresses, String link)
            throws Problem, InterruptedException {
        List<JsonNode> proxies = new ArrayList<>();
        for (String family : List.of("-4", "-6")) {
            proxies.addAll(IpTool.of(NetSpace.here()).list(family, "neighbour", "show", "proxy"));
        }
        for (JsonNode each : proxies) {
            String ip = InterfaceAddress.literal(each.path("dst").asText());
            for (InterfaceAddress own : addresses) {
                if (own.device().equals(link) && own.ip().equals(ip)) {
                    return each.path("dev").asText();
                }
            }
        }
        return null;
    }

    /** Where the neighbours are told of an address of a plan. */
    static InterfaceAddress toldAs(NetworkPlan plan, InterfaceAddress address) {
        Link link = linkOf(plan, address);
        return link == null
                ? address
                : new InterfaceAddress(address.ip(), address.prefix(), link.parent());
    }

    /** True if the node answers for an address of a plan. */
    static boolean isRouted(NetworkPlan plan, InterfaceAddress address) {
        return linkOf(plan, address) != null;
    }

    private static @Nullable Link linkOf(NetworkPlan plan, InterfaceAddress address) {
        NamespaceState state = plan.links();
        Link link = state == null ? null : state.link(address.device());
        return link != null && link.kind() == Kind.ROUTED ? link : null;
    }

    private static void each(NetworkPlan plan, BiConsumer<InterfaceAddress, Link> action) {
        for (InterfaceAddress address : plan.addresses()) {
            Link link = linkOf(plan, address);
            if (link != null) {
                action.accept(address, link);
            }
        }
    }

    /**
     * Text for {@code ip -batch}: the addresses lead into the pair. Its other end is not asked for
     * its hardware address: as long as the lock stands it does not answer, and the kernel asks once
     * a second.
     */
    static String routes(NetworkPlan plan, String id) {
        StringBuilder text = new StringBuilder();
        NamespaceState state = plan.links();
        each(
                plan,
                (address, link) -> {
                    int number = state == null ? 0 : state.links().indexOf(link);
                    String end = endOf(id, number);
                    text.append("route replace %s dev %s%n".formatted(address.ip(), end));
                    text.append(
                            "neighbour replace %s lladdr %s dev %s nud permanent%n"
                                    .formatted(address.ip(), link.hardware(), end));
                });
        return text.toString();
    }

    /** Name of the node's end; at most 15 characters. */
    static String endOf(String id, int number) {
        return LinkMove.nameOf(id, number) + "n";
    }

    /** Text for {@code ip -batch}: this node answers for the addresses, or no more. */
    static String answering(NetworkPlan plan, boolean yes) {
        StringBuilder text = new StringBuilder();
        each(
                plan,
                (address, link) ->
                        text.append(
                                "neighbour %s proxy %s dev %s%n"
                                        .formatted(
                                                yes ? "replace" : "del",
                                                address.ip(),
                                                link.parent())));
        return text.toString();
    }

    /** This node answers for them. */
    static void answer(NetworkPlan plan) throws Problem, InterruptedException {
        String text = answering(plan, true);
        if (!text.isEmpty()) {
            NetSpace.here().feed("nobody would answer for the job", text, "ip", "-batch", "-");
        }
    }

    /** This node answers for them no more; no complaint if it did not. */
    static void keepQuiet(NetworkPlan plan) throws Problem, InterruptedException {
        for (InterfaceAddress each : plan.addresses()) {
            keepQuiet(plan, each);
        }
    }

    private static void keepQuiet(NetworkPlan plan, InterfaceAddress address)
            throws Problem, InterruptedException {
        Link link = linkOf(plan, address);
        if (link == null) {
            return;
        }
        Command.Result result =
                NetSpace.here()
                        .run("ip", "neighbour", "del", "proxy", address.ip(), "dev", link.parent());
        if (!result.ok() && !result.err().contains("No such file")) {
            result.orFail("this node still answers for the job");
        }
    }

    /** The same, but for addresses that this node reaches: the job came back. */
    static void keepQuietUnlessReached(NetworkPlan plan) throws Problem, InterruptedException {
        IpTool here = IpTool.of(NetSpace.here());
        for (InterfaceAddress each : plan.addresses()) {
            String family = each.six() ? "-6" : "-4";
            if (here.list(family, "route", "show", "exact", each.ip()).isEmpty()) {
                keepQuiet(plan, each);
            }
        }
    }
}
