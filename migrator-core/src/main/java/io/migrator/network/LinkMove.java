package io.migrator.network;

import io.migrator.linux.Command;
import io.migrator.network.NamespaceState.Link;
import io.migrator.problem.Problem;

import java.util.Locale;
import java.util.Map;
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
            String made = nameOf(id, number++);
            NetSpace.here()
                    .run(words(link, made).split(" "))
                    .orFail("interface " + link.name() + " could not be made");
            String process = String.valueOf(space.process().pid());
            NetSpace.here()
                    .run("ip", "link", "set", made, "netns", process, "name", link.name())
                    .orFail("interface " + link.name() + " could not be moved");
        }
        Map<String, String> there = Settings.of(space);
        String settings = Settings.text(state.settings(), there);
        if (!settings.isEmpty()) {
            space.feed("the network could not be set up", settings, "sysctl", "-q", "-p", "-");
        }
        String text = "link set lo up\n" + AddressMove.on(state.addresses());
        space.feed("the network could not be set up", text, "ip", "-batch", "-");
    }

    /** For the moment in which it is in the node's namespace; at most 15 characters. */
    static String nameOf(String id, int number) {
        return "mg%x%d".formatted(id.hashCode(), number);
    }

    private static String words(Link link, String made) {
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
        // a gateway must be reachable when it is named
        state.routes().stream()
                .filter(each -> !each.contains(" via "))
                .forEach(each -> text.append(withFamily("route replace", each)));
        state.routes().stream()
                .filter(each -> each.contains(" via "))
                .forEach(each -> text.append(withFamily("route replace", each)));
        state.rules().forEach(each -> text.append(withFamily("rule add", each)));
        return text.toString();
    }

    /** In a batch the family stands in the line. */
    private static String withFamily(String verb, String words) {
        return words.substring(0, 2) + " " + verb + words.substring(2) + "\n";
    }

    /** Removes them. */
    static void off(NetSpace space, NetworkPlan plan) throws Problem, InterruptedException {
        for (Link link : Objects.requireNonNull(plan.links()).links()) {
            Command.Result result = space.run("ip", "link", "del", link.name());
            if (!result.ok() && !result.err().contains("Cannot find device")) {
                result.orFail("interface " + link.name() + " could not be removed");
            }
        }
    }
}
