package io.migrator.network;

import io.migrator.linux.Command;
import io.migrator.network.NamespaceState.Kind;
import io.migrator.network.NamespaceState.Link;
import io.migrator.problem.Problem;

import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * The links of a network namespace of a job's own. On the target they are made while the job runs,
 * and stay down until it is frozen.
 */
final class LinkMove {
    private LinkMove() {}

    /**
     * Makes them, down, with their addresses.
     *
     * @param space new, with loopback only
     */
    static void make(NetSpace space, NamespaceState state, String id)
            throws Problem, InterruptedException {
        int number = 0;
        for (Link link : state.links()) {
            String made = nameOf(id, number);
            String end = RoutedLink.endOf(id, number++);
            NetSpace.here()
                    .run(words(link, made, end).split(" "))
                    .orFail("interface " + link.name() + " could not be made");
            String process = String.valueOf(space.process().pid());
            NetSpace.here()
                    .run("ip", "link", "set", made, "netns", process, "name", link.name())
                    .orFail("interface " + link.name() + " could not be moved");
            if (link.kind() == Kind.ROUTED) {
                NetSpace.here()
                        .run("ip", "link", "set", end, "up")
                        .orFail("interface " + end + " could not be used");
            }
        }
        for (int pass = 0; pass < 2; pass++) { // some change others, which were right before
            String settings = Settings.text(state.settings(), Settings.of(space));
            if (!settings.isEmpty()) {
                space.feed("the network could not be set up", settings, "sysctl", "-q", "-p", "-");
            }
        }
        String text = "link set lo up\n" + AddressMove.on(state.addresses());
        space.feed("the network could not be set up", text, "ip", "-batch", "-");
    }

    /** For the moment in which it is in the node's namespace; at most 15 characters. */
    static String nameOf(String id, int number) {
        return "mg%x%d".formatted(id.hashCode(), number);
    }

    private static String words(Link link, String made, String end) {
        if (link.kind() == Kind.ROUTED) {
            return "ip link add name %s address %s mtu %d type veth peer name %s address %s mtu %d"
                    .formatted(end, link.far(), link.mtu(), made, link.hardware(), link.mtu());
        }
        return "ip link add link %s name %s address %s mtu %d type %s mode %s"
                .formatted(
                        link.parent(),
                        made,
                        link.hardware(),
                        link.mtu(),
                        link.kind().name().toLowerCase(Locale.ROOT),
                        link.mode());
    }

    /** Text for {@code ip -batch} that takes them into use. */
    static String up(NamespaceState state) {
        StringBuilder text = new StringBuilder();
        state.links().forEach(each -> text.append("link set %s up%n".formatted(each.name())));
        state.neighbours().forEach(each -> text.append("neighbour replace " + each + "\n"));
        return text.toString();
    }

    /**
     * Text for {@code ip FAMILY -batch} that makes the routes and rules of a family.
     *
     * @param family -4 or -6
     */
    static String ways(NamespaceState state, String family) {
        StringBuilder text = new StringBuilder();
        List<String> routes = ofFamily(state.routes(), family);
        for (boolean via : new boolean[] {false, true}) { // a gateway must be in reach first
            routes.stream()
                    .filter(each -> each.contains(" via ") == via)
                    .forEach(each -> text.append("route replace " + each + "\n"));
        }
        ofFamily(state.rules(), family).forEach(each -> text.append("rule add " + each + "\n"));
        return text.toString();
    }

    private static List<String> ofFamily(List<String> lines, String family) {
        return lines.stream()
                .filter(each -> each.startsWith(family + " "))
                .map(each -> each.substring(family.length() + 1))
                .toList();
    }

    /** Takes them into use, all at once. */
    static void use(NetSpace space, NamespaceState state) throws Problem, InterruptedException {
        space.feed("the network could not be set up", up(state), "ip", "-batch", "-");
        for (String family : List.of("-4", "-6")) {
            String ways = ways(state, family);
            if (!ways.isEmpty()) {
                space.feed("the routes could not be set", ways, "ip", family, "-batch", "-");
            }
        }
    }

    /** Removes them. */
    static void off(NetSpace space, NetworkPlan plan) throws Problem, InterruptedException {
        for (Link link : Objects.requireNonNull(plan.links()).links()) {
            delete(space, link.name());
        }
    }

    /** Removes what of them is in the node's namespace, where they were made for another. */
    static void remove(NetworkPlan plan, String id) throws Problem, InterruptedException {
        RoutedLink.keepQuiet(plan);
        for (int i = 0; i < Objects.requireNonNull(plan.links()).links().size(); i++) {
            delete(NetSpace.here(), nameOf(id, i));
        }
    }

    private static void delete(NetSpace space, String name) throws Problem, InterruptedException {
        Command.Result result = space.run("ip", "link", "del", name);
        if (!result.ok() && !result.err().contains("Cannot find device")) {
            result.orFail("interface " + name + " could not be removed");
        }
    }
}
