package io.migrator.network;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.instance.Instance;
import io.migrator.linux.User;
import io.migrator.network.NamespaceState.Kind;
import io.migrator.network.NamespaceState.Link;
import io.migrator.problem.Problem;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The network a job is started with, so that its connections can move: addresses of its own on the
 * node's interfaces, or on a macvlan in a network namespace of its own. One thread.
 *
 * @param own true for a network namespace of its own
 * @param kind of its link there
 * @param addresses of the job; with own, each on an interface of the node that reaches its network
 */
public record StartNetwork(boolean own, Kind kind, List<InterfaceAddress> addresses) {
    /** The name that Apptainer gives to an interface, too. */
    private static final String INSIDE = "eth0";

    private static final int HARDWARE_BYTES = 6;
    private static final int ALL4 = 32;
    private static final int ALL6 = 128;
    private static final int LOCAL = 0x02;
    private static final int MULTICAST = 0x01;

    /** The node's network, as it is. */
    public static final StartNetwork OF_THE_NODE = new StartNetwork(false, Kind.MACVLAN, List.of());

    /** Refuses several interfaces, which would need rules nobody gave. */
    public StartNetwork {
        addresses = List.copyOf(addresses);
        if (own && addresses.stream().map(InterfaceAddress::device).distinct().count() > 1) {
            throw new IllegalArgumentException("the addresses are on several interfaces");
        }
    }

    /** What the program finds in its environment. */
    public Map<String, String> environment() {
        return own || addresses.isEmpty()
                ? Map.of()
                : Map.of(
                        NetworkWish.VARIABLE,
                        addresses.stream()
                                .map(InterfaceAddress::toString)
                                .collect(Collectors.joining(",")));
    }

    /** Refuses what could not be. */
    public void orRefuse() throws Problem, InterruptedException {
        if (addresses.isEmpty() && !own) {
            return;
        }
        if (!User.isRoot() && !addresses.isEmpty()) {
            throw Problem.usage("only root can give a job addresses of its own")
                    .tryThis("leave --service-ip away");
        }
        List<String> devices = IpTool.of(NetSpace.here()).names();
        List<InterfaceAddress> here = AddressMove.present(NetSpace.here());
        for (InterfaceAddress each : addresses) {
            if (!devices.contains(each.device())) {
                throw Problem.usage("there is no interface " + each.device())
                        .because("this node has " + String.join(", ", devices))
                        .tryThis("name one of them behind the @");
            }
            String missing = own && kind == Kind.ROUTED ? Forwarding.missing(each) : "";
            if (!missing.isEmpty()) {
                throw Problem.usage("this node does not forward for others")
                        .because(missing)
                        .tryThis("sysctl -w " + missing);
            }
            boolean ours = here.stream().anyMatch(own -> own.ip().equals(each.ip()));
            if (own && (ours || isRouted(each))) {
                throw Problem.usage("this node has " + each.ip() + " already")
                        .because("it is on an interface, or another job's")
                        .tryThis("choose an address that is free");
            }
            String other = ours ? "" : AddressMove.whoHas(each);
            if (!other.isEmpty()) {
                throw Problem.usage("another machine has " + each.ip())
                        .because(other + " answers for it on " + each.device())
                        .tryThis("choose an address that is free");
            }
        }
    }

    private static boolean isRouted(InterfaceAddress address) throws Problem, InterruptedException {
        String family = address.six() ? "-6" : "-4";
        return !IpTool.of(NetSpace.here())
                .list(family, "route", "show", "exact", address.ip())
                .isEmpty();
    }

    /**
     * Puts the job's addresses on the node's interfaces, but those that are there.
     *
     * @return what was put there
     */
    public List<InterfaceAddress> comeUp() throws Problem, InterruptedException {
        if (own || addresses.isEmpty()) {
            return List.of();
        }
        List<InterfaceAddress> missing = new ArrayList<>(addresses);
        missing.removeAll(AddressMove.present(NetSpace.here()));
        List<InterfaceAddress> added = new ArrayList<>();
        try {
            for (InterfaceAddress each : missing) {
                AddressMove.put(List.of(each));
                added.add(each);
            }
            Announcements.say(NetSpace.here(), added);
            return added;
        } catch (Problem | InterruptedException e) {
            AddressMove.off(added);
            throw e;
        }
    }

    /** Gives a new instance its link. */
    public void into(Instance instance) throws Problem, InterruptedException {
        if (!own) {
            return;
        }
        NetSpace space = NetSpace.of(instance);
        if (!space.isOpen()) {
            return; // an ordinary user's, of the setuid starter: loopback is there
        }
        List<Link> links = new ArrayList<>();
        List<InterfaceAddress> inside = new ArrayList<>();
        List<String> routes = new ArrayList<>();
        List<String> neighbours = new ArrayList<>();
        if (!addresses.isEmpty()) {
            String parent = addresses.getFirst().device();
            JsonNode device = IpTool.of(NetSpace.here()).link(parent);
            int mtu = device.path("mtu").asInt();
            links.add(link(mtu, parent));
            for (InterfaceAddress each : addresses) {
                int prefix = kind != Kind.ROUTED ? each.prefix() : each.six() ? ALL6 : ALL4;
                inside.add(new InterfaceAddress(each.ip(), prefix, INSIDE));
            }
            if (kind == Kind.ROUTED) {
                byNode(routes, neighbours);
            } else {
                routes.addAll(gateways(parent));
            }
        }
        NamespaceState state =
                new NamespaceState(links, inside, routes, List.of(), neighbours, Map.of());
        NetworkPlan plan = NetworkPlan.of(state);
        String id = "start" + instance.appinit();
        try {
            use(space, plan, state, id);
        } catch (Problem | InterruptedException e) {
            LinkMove.remove(plan, id); // what is in the namespace goes with it
            throw e;
        }
    }

    private static void use(NetSpace space, NetworkPlan plan, NamespaceState state, String id)
            throws Problem, InterruptedException {
        LinkMove.make(space, state, id);
        LinkMove.use(space, state);
        String reached = RoutedLink.routes(plan, id);
        if (!reached.isEmpty()) {
            NetSpace.here().feed("the job could not be reached", reached, "ip", "-batch", "-");
        }
        RoutedLink.answer(plan);
        Announcements.say(space, plan);
    }

    private Link link(int mtu, String parent) {
        return switch (kind) {
            case MACVLAN -> new Link(INSIDE, kind, hardwareAddress(), mtu, "bridge", parent, "");
            case IPVLAN -> new Link(INSIDE, kind, hardwareAddress(), mtu, "l2", parent, "");
            case ROUTED ->
                    new Link(INSIDE, kind, hardwareAddress(), mtu, "", parent, RoutedLink.FAR);
        };
    }

    private void byNode(List<String> routes, List<String> neighbours) {
        for (boolean six : new boolean[] {false, true}) {
            if (addresses.stream().anyMatch(each -> each.six() == six)) {
                String gateway = six ? RoutedLink.GATEWAY6 : RoutedLink.GATEWAY4;
                String family = six ? "-6" : "-4";
                neighbours.add(
                        "%s lladdr %s dev %s nud permanent"
                                .formatted(gateway, RoutedLink.FAR, INSIDE));
                routes.add(
                        "%s unicast default via %s dev %s onlink"
                                .formatted(family, gateway, INSIDE));
            }
        }
    }

    /** The node's own ways out through that interface, where they are in reach of an address. */
    private List<String> gateways(String parent) throws Problem, InterruptedException {
        List<String> found = new ArrayList<>();
        for (String family : List.of("-4", "-6")) {
            for (JsonNode each :
                    IpTool.of(NetSpace.here())
                            .list(family, "route", "show", "default", "dev", parent)) {
                String gateway = each.path("gateway").asText();
                if (!gateway.isEmpty() && addresses.stream().anyMatch(a -> a.reaches(gateway))) {
                    found.add(
                            "%s unicast default via %s dev %s".formatted(family, gateway, INSIDE));
                }
            }
        }
        return found;
    }

    private static String hardwareAddress() {
        byte[] bytes = new byte[HARDWARE_BYTES];
        new SecureRandom().nextBytes(bytes);
        bytes[0] = (byte) (bytes[0] & ~MULTICAST | LOCAL);
        return HexFormat.ofDelimiter(":").formatHex(bytes);
    }
}
