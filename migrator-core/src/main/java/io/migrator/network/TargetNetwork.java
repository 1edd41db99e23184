package io.migrator.network;

import io.migrator.instance.Instance;
import io.migrator.linux.Command;
import io.migrator.linux.ReadyCommand;
import io.migrator.network.NetworkLock.Pair;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * A job's network on its target. The lock stands before anything else: from there on the addresses
 * may come up at any time, since nobody hears them or reaches them; they speak when the job is
 * taken. One thread. Owns programs that wait.
 */
public final class TargetNetwork implements AutoCloseable {
    private static final Duration TOOL = Duration.ofSeconds(10);

    private final NetworkPlan plan;
    private final String id;
    private NetSpace space = NetSpace.here();
    private @Nullable NetworkLock lock;
    private @Nullable ReadyCommand up;
    private @Nullable ReadyCommand cutter;
    private @Nullable ReadyCommand opener;
    private @Nullable ReadyCommand ways4;
    private @Nullable ReadyCommand ways6;
    private @Nullable ReadyCommand router;
    private @Nullable ReadyCommand answerer;
    private @Nullable Announcements announcements;

    /** Nothing is made yet. */
    public TargetNetwork(NetworkPlan plan, String id) {
        this.plan = plan;
        this.id = id;
    }

    /** Makes what can be made while the job still runs on the source. */
    public void prepare(Instance empty) throws Problem, InterruptedException {
        if (!plan.keeps()) {
            return;
        }
        space = NetSpace.of(empty);
        orOtherSpace();
        orAddressTaken();
        NetworkLock made = new NetworkLock(space, id);
        lock = made;
        made.create(made.silencing(plan.addresses()));
        if (plan.movesAddresses()) {
            AddressMove.endConnections(space, plan.addresses()); // of an earlier stay
        }
        if (plan.mode() == NetworkPlan.Mode.OWN) {
            LinkMove.make(space, Objects.requireNonNull(plan.links()), id);
        }
        announcements = Announcements.of(space, plan);
        NetSpace here = NetSpace.here();
        ways4 = space.ready("ip", "-4", "-batch", "-");
        ways6 = space.ready("ip", "-6", "-batch", "-");
        router = here.ready("ip", "-batch", "-");
        answerer = here.ready("ip", "-batch", "-");
        up = space.ready("ip", "-batch", "-");
        cutter = space.ready("nft", "-f", "-");
        opener = space.ready("nft", "-f", "-");
    }

    private void orAddressTaken() throws Problem, InterruptedException {
        if (plan.movesAddresses()) {
            for (InterfaceAddress each : AddressMove.present(space)) {
                if (plan.addresses().stream().anyMatch(own -> own.ip().equals(each.ip()))) {
                    throw Problem.failed("the job's address is on the target already")
                            .because(each.toString());
                }
            }
        }
    }

    private void orOtherSpace() throws Problem {
        if (space.own() != (plan.mode() == NetworkPlan.Mode.OWN)) {
            throw Problem.failed("the new instance does not have the network of the old one")
                    .because(
                            space.own()
                                    ? "it has a network namespace of its own"
                                    : "it has no network namespace of its own");
        }
    }

    /**
     * The addresses come up, locked; the job is frozen on the source.
     *
     * @param pairs connections of the job to itself
     */
    public void arrive(List<Pair> pairs) throws Problem, InterruptedException {
        if (lock == null || up == null || cutter == null) {
            return;
        }
        if (!pairs.isEmpty()) {
            cutter.tell(lock.cutting(pairs));
        }
        String text =
                plan.mode() == NetworkPlan.Mode.OWN
                        ? LinkMove.up(Objects.requireNonNull(plan.links()))
                        : plan.movesAddresses() ? AddressMove.onNode(plan.addresses()) : "";
        if (!text.isEmpty()) {
            up.tell(text);
            up.orFail("the job's network could not be set up", TOOL);
        }
        if (plan.links() != null) {
            tell(ways4, LinkMove.ways(plan.links(), "-4"), "the routes could not be set");
            tell(ways6, LinkMove.ways(plan.links(), "-6"), "the routes could not be set");
        }
        tell(router, RoutedLink.routes(plan, id), "the job could not be reached");
        if (!pairs.isEmpty()) {
            cutter.orFail("the network could not be locked", TOOL);
        }
    }

    private static void tell(@Nullable ReadyCommand program, String text, String what)
            throws Problem, InterruptedException {
        if (program != null && !text.isEmpty()) {
            program.tell(text);
            program.orFail(what, TOOL);
        }
    }

    /** The job is taken: its network works, and the neighbours are told. */
    public void open() throws Problem, InterruptedException {
        if (lock != null && opener != null && announcements != null) {
            opener.tell(lock.opening());
            tell(answerer, RoutedLink.answering(plan, true), "nobody would answer for the job");
            announcements.say();
            opener.orFail("the network could not be unlocked", TOOL);
        }
    }

    /** The job runs: the lock, which is open, goes; the neighbours are told again. */
    public void tidy() throws Problem, InterruptedException {
        if (lock != null && announcements != null) {
            announcements.repeat();
            lock.delete();
        }
    }

    /**
     * What a dead receiver may not have done: the job runs here.
     *
     * @param instance of the job
     */
    public void finish(@Nullable Instance instance) throws Problem, InterruptedException {
        if (plan.keeps()) {
            new NetworkLock(NetSpace.of(instance), id).delete();
        }
        if (plan.keeps() && instance != null) {
            NetSpace there = NetSpace.of(instance);
            RoutedLink.answer(plan);
            Announcements.say(there, plan);
        }
    }

    /**
     * The job is not here and will not be. What was restored of it must be dead, in its repair
     * mode: it says nothing then. A namespace of its own went with the instance.
     *
     * @param report told of what could not be removed
     */
    public void remove(Consumer<String> report) throws Problem, InterruptedException {
        close();
        if (plan.mode() == NetworkPlan.Mode.OWN) {
            RoutedLink.keepQuiet(plan);
            for (int i = 0; i < Objects.requireNonNull(plan.links()).links().size(); i++) {
                Command.Result result =
                        NetSpace.here().run("ip", "link", "del", LinkMove.nameOf(id, i));
                if (!result.ok() && !result.err().contains("Cannot find device")) {
                    report.accept(result.complaint());
                }
            }
        } else if (plan.keeps()) {
            NetworkLock mine = new NetworkLock(NetSpace.here(), id);
            if (plan.movesAddresses() && mine.stands()) { // else they are another's
                AddressMove.off(plan.addresses());
            }
            mine.delete();
        }
    }

    @Override
    public void close() {
        for (ReadyCommand each :
                new ReadyCommand[] {up, cutter, opener, ways4, ways6, router, answerer}) {
            if (each != null) {
                each.close();
            }
        }
        if (announcements != null) {
            announcements.close();
        }
    }
}
