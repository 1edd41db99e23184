package io.migrator.network;

import io.migrator.instance.Instance;
import io.migrator.linux.Proc;
import io.migrator.linux.ReadyCommand;
import io.migrator.network.NetworkLock.Pair;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

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
    private final List<Task> tasks = new ArrayList<>();
    private @Nullable NetworkLock lock;
    private @Nullable ReadyCommand cutter;
    private Task up = Task.NOTHING;
    private Task ways4 = Task.NOTHING;
    private Task ways6 = Task.NOTHING;
    private Task router = Task.NOTHING;
    private @Nullable TableChange opener;
    private Task answerer = Task.NOTHING;
    private @Nullable Announcements announcements;

    /** A program that waits, and what it is to be told. */
    private record Task(@Nullable ReadyCommand program, String text, String what) {
        static final Task NOTHING = new Task(null, "", "");

        void begin() throws Problem {
            if (program != null) {
                program.tell(text);
            }
        }

        void finish() throws Problem, InterruptedException {
            if (program != null) {
                program.orFail(what, TOOL);
            }
        }
    }

    /** Nothing is made yet. */
    public TargetNetwork(NetworkPlan plan, String id) {
        this.plan = plan;
        this.id = id;
    }

    /**
     * Where sockets that listen at an address of the source are to listen here: at this node's own
     * address in the same network.
     *
     * @return by the source's addresses; one is missing if there is none, or several
     */
    public static Map<String, String> rebound(NetworkPlan plan)
            throws Problem, InterruptedException {
        Map<String, String> found = new HashMap<>();
        List<InterfaceAddress> here = plan.rebound().isEmpty() ? List.of() : AddressMove.lasting();
        for (InterfaceAddress each : plan.rebound()) {
            List<String> own =
                    here.stream()
                            .filter(other -> other.device().equals(each.device()))
                            .filter(other -> other.prefix() == each.prefix())
                            .map(InterfaceAddress::ip)
                            .filter(each::reaches)
                            .toList();
            if (own.size() == 1) {
                found.put(each.ip(), own.getFirst());
            }
        }
        return found;
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
        cutter = space.ready("nft", "-f", "-");
        NamespaceState links = plan.links();
        if (links != null) {
            up = ready(space, LinkMove.up(links), "its links could not be used", "ip");
            ways4 = ready(space, LinkMove.ways(links, "-4"), "no IPv4 routes", "ip", "-4");
            ways6 = ready(space, LinkMove.ways(links, "-6"), "no IPv6 routes", "ip", "-6");
        } else if (plan.movesAddresses()) {
            up = ready(space, AddressMove.onNode(plan.addresses()), "no address", "ip");
        }
        NetSpace here = NetSpace.here();
        router = ready(here, RoutedLink.routes(plan, id), "the job could not be reached", "ip");
        answerer = ready(here, RoutedLink.answering(plan, true), "nobody would answer", "ip");
        rehearse();
        opener = made.readyToOpen();
    }

    /** What a JVM does for the first time takes long: this process has no connections itself. */
    private static void rehearse() throws Problem {
        try (HeldSockets own = HeldSockets.of(List.of(Proc.self()))) {
            own.probe();
        } catch (IOException e) {
            throw Problem.failed("connections cannot be looked at").because(e.getMessage());
        }
    }

    private Task ready(NetSpace where, String text, String what, String... words) throws Problem {
        if (text.isEmpty()) {
            return Task.NOTHING;
        }
        List<String> argv = new ArrayList<>(List.of(words));
        argv.addAll(words[0].equals("ip") ? List.of("-batch", "-") : List.of("-f", "-"));
        Task task = new Task(where.ready(argv.toArray(String[]::new)), text, what);
        tasks.add(task);
        return task;
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
     * The addresses come up, locked; the job is frozen on the source. Another thread may {@link
     * #cut} meanwhile.
     */
    public void arrive() throws Problem, InterruptedException {
        up.begin();
        router.begin();
        up.finish();
        ways4.begin();
        ways6.begin();
        for (Task each : List.of(ways4, ways6, router)) {
            each.finish();
        }
    }

    /**
     * Locks connections of the job to itself.
     *
     * @param pairs both directions of each
     */
    public void cut(List<Pair> pairs) throws Problem, InterruptedException {
        if (lock != null && cutter != null && !pairs.isEmpty()) {
            cutter.tell(lock.cutting(pairs));
            cutter.orFail("the network could not be locked", TOOL);
        }
    }

    /**
     * The job will run here, and nowhere else: its network works, and the neighbours are told. Not
     * sooner: what a peer sends is acknowledged from here on, and would be missing elsewhere.
     */
    public void open() throws Problem, InterruptedException {
        if (opener == null || announcements == null) {
            return;
        }
        answerer.begin();
        opener.make("the network could not be unlocked");
        announcements.say();
        answerer.finish();
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
     * The job will not be here: its links go before the instance does, as long as the lock stands.
     * The kernel takes the lock off a namespace that ends before it takes the links, which have the
     * hardware address of those on the source: it would answer the job's peers that nobody is here.
     *
     * @param instance of the job; its network namespace goes with it
     */
    public void leave(Instance instance) throws Problem, InterruptedException {
        if (plan.mode() == NetworkPlan.Mode.OWN && new Proc(instance.appinit()).alive()) {
            LinkMove.off(NetSpace.of(instance), plan);
        }
    }

    /**
     * The job is not here and will not be. What was restored of it must be dead, in its repair
     * mode: it says nothing then. A namespace of its own went with the instance.
     */
    public void remove() throws Problem, InterruptedException {
        close();
        if (plan.mode() == NetworkPlan.Mode.OWN) {
            LinkMove.remove(plan, id);
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
        for (Task each : tasks) {
            if (each.program != null) {
                each.program.close();
            }
        }
        if (cutter != null) {
            cutter.close();
        }
        if (opener != null) {
            opener.close();
        }
        if (announcements != null) {
            announcements.close();
        }
    }
}
