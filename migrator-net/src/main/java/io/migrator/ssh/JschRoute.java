package io.migrator.ssh;

import io.migrator.problem.Problem;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The hosts to log in to, one through the other; the last is the destination.
 *
 * @param hops never empty
 */
record JschRoute(Destination to, List<SshSettings> hops) {

    /** More than anybody has; stops configurations in which two hosts jump through each other. */
    private static final int MOST_HOPS = 8;

    private static final Pattern JUMP =
            Pattern.compile("(?:ssh://)?(?<target>.*?[^:])(?::(?<port>\\d{1,5}))?/?");

    /** Looks up the destination and every host on the way, as ssh's ProxyJump does. */
    static JschRoute find(Destination to, Dialer.Lookup lookup)
            throws Problem, InterruptedException {
        List<SshSettings> hops = new ArrayList<>();
        addRoute(to, OptionalInt.empty(), lookup, hops);
        return new JschRoute(to, hops.reversed());
    }

    /** What on the way JSch cannot follow. */
    List<String> obstacles() {
        return hops.stream().flatMap(hop -> hop.obstacles().stream()).toList();
    }

    /** Nearest to the destination first: the first jump's own way is looked up in turn. */
    private static void addRoute(
            Destination to, OptionalInt port, Dialer.Lookup lookup, List<SshSettings> hops)
            throws Problem, InterruptedException {
        SshSettings settings = lookup.settingsOf(to, port);
        hops.add(settings);
        List<String> jumps = settings.jumps();
        if (hops.size() + jumps.size() > MOST_HOPS) {
            throw Problem.refused("the way to " + to + " has more than " + MOST_HOPS + " hops")
                    .because("proxyjump " + String.join(",", jumps))
                    .tryThis("check ProxyJump in the ssh configuration for a circle");
        }
        for (int i = jumps.size() - 1; i >= 0; i--) {
            Matcher jump = JUMP.matcher(jumps.get(i));
            if (!jump.matches()) {
                throw Problem.refused("cannot read proxyjump " + jumps.get(i));
            }
            Destination hop = Destination.parse(jump.group("target"));
            String named = jump.group("port");
            OptionalInt hopPort =
                    named == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(named));
            if (i == 0) {
                addRoute(hop, hopPort, lookup, hops);
            } else {
                hops.add(lookup.settingsOf(hop, hopPort));
            }
        }
    }
}
