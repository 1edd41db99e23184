package io.migrator.network;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Several of them. One thread; owns them. */
final class Announcements implements AutoCloseable {
    /** Frames get lost; QEMU repeats its own five times, too (announce-rounds). */
    private static final int ROUNDS = 5;

    private static final int PAUSE_MILLIS = 100;

    private final List<Announcement> all = new ArrayList<>();

    /**
     * Gets ready.
     *
     * @param space of the job
     */
    static Announcements of(NetSpace space, NetworkPlan plan) throws Problem, InterruptedException {
        Announcements made = new Announcements();
        try {
            for (InterfaceAddress each : plan.addresses()) {
                NetSpace where = RoutedLink.isRouted(plan, each) ? NetSpace.here() : space;
                made.all.add(Announcement.of(where, RoutedLink.toldAs(plan, each)));
            }
            return made;
        } catch (Problem | InterruptedException e) {
            made.close();
            throw e;
        }
    }

    /** Gets ready. */
    static Announcements of(NetSpace space, List<InterfaceAddress> addresses)
            throws Problem, InterruptedException {
        Announcements made = new Announcements();
        try {
            for (InterfaceAddress each : addresses) {
                made.all.add(Announcement.of(space, each));
            }
            return made;
        } catch (Problem | InterruptedException e) {
            made.close();
            throw e;
        }
    }

    /** Gets ready and says them, once. */
    static void say(NetSpace space, List<InterfaceAddress> addresses)
            throws Problem, InterruptedException {
        try (Announcements made = of(space, addresses)) {
            made.say();
        }
    }

    /**
     * The same for all addresses of a plan. Nothing may fail for it: neighbours that do not hear of
     * the address ask for it.
     */
    static void say(NetSpace space, NetworkPlan plan) throws InterruptedException {
        try (Announcements made = of(space, plan)) {
            made.say();
        } catch (Problem e) {
            // no interface, or it is down: nobody could hear
        }
    }

    /** Says them, as far as they can be said. */
    void say() {
        for (Announcement each : all) {
            try {
                each.say();
            } catch (IOException e) {
                // the link is down or full: said again later
            }
        }
    }

    /** Says them some more times, which takes half a second. */
    void repeat() throws InterruptedException {
        for (int round = 1; round < ROUNDS && !all.isEmpty(); round++) {
            Thread.sleep(PAUSE_MILLIS);
            say();
        }
    }

    @Override
    public void close() {
        all.forEach(Announcement::close);
    }
}
