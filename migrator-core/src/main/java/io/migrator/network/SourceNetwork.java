package io.migrator.network;

import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.ForeignSocket;
import io.migrator.linux.ForeignSocket.Option;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;
import io.migrator.linux.ReadyCommand;
import io.migrator.network.NetworkLock.Pair;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A job's network on its source. Nothing of it is taken away before the job is dead here: while it
 * stands still its addresses stay, but nobody hears or reaches them, so that a job that runs on
 * needs no more than the lock removed. {@link #resume} and {@link #end} may be called again and
 * again, by a later process too. One thread. Owns programs that wait.
 */
public final class SourceNetwork implements AutoCloseable {
    private static final Duration NFT = Duration.ofSeconds(10);
    private static final Duration CLOSED = Duration.ofSeconds(1);
    private static final int LOOK_MILLIS = 5;
    private static final int IPPROTO_TCP = 6;

    private final NetworkPlan plan;
    private final boolean gone;
    private final NetSpace space;
    private final NetworkLock lock;
    private @Nullable TableChange locker;
    private @Nullable ReadyCommand cutter;
    private @Nullable ReadyCommand answerer;

    /** Whether the job had any TCP socket before the freeze. */
    private boolean connected;

    private List<Pair> pairs = List.of();

    private SourceNetwork(NetworkPlan plan, boolean gone, NetSpace space, String id) {
        this.plan = plan;
        this.gone = gone;
        this.space = space;
        this.lock = new NetworkLock(space, id);
    }

    /**
     * That of an instance.
     *
     * @param instance null if it is gone
     * @param id of the migration
     */
    public static SourceNetwork of(NetworkPlan plan, @Nullable Instance instance, String id)
            throws Problem {
        return new SourceNetwork(plan, instance == null, NetSpace.of(instance), id);
    }

    /** True if the peers are to hear that the job's connections end here. */
    public boolean closes() {
        return plan.mode() == NetworkPlan.Mode.CLOSE;
    }

    /**
     * Lets no more connections be made, waits until the job has accepted those that were, and gets
     * ready to lock: criu cannot dump a connection that nobody has accepted. Waits a little for
     * those that the job has closed, too. Leaves the lock.
     *
     * @return how many the job has closed and the peer has not yet read to the end
     */
    public int drain(ProcessTree tree, Duration limit) throws Problem, InterruptedException {
        if (!plan.locks()) {
            return 0;
        }
        try {
            Set<String> own = links(tree);
            connected =
                    InetSocket.tcpOf(space.process()).stream()
                            .anyMatch(each -> own.contains(each.link()));
            lock.create(lock.closing(listeners(tree)));
            locker = lock.readyToSilence(plan.addresses());
            cutter = space.ready("nft", "-f", "-");
            answerer = NetSpace.here().ready("ip", "-batch", "-");
            long end = System.nanoTime() + limit.toNanos();
            List<InetSocket> waiting = unaccepted(tree);
            while (!waiting.isEmpty()) {
                if (System.nanoTime() > end) {
                    throw Problem.failed("the job does not accept its connections")
                            .because(waiting.getFirst() + " has some waiting, which would be lost")
                            .tryThis("try again when the program accepts connections");
                }
                Thread.sleep(LOOK_MILLIS);
                waiting = unaccepted(tree);
            }
            end = System.nanoTime() + CLOSED.toNanos();
            while (ending() > 0 && System.nanoTime() < end) {
                Thread.sleep(LOOK_MILLIS);
            }
            return ending();
        } catch (IOException e) {
            throw Problem.failed("the job's connections are not seen").because(e.toString());
        }
    }

    private int ending() throws IOException {
        Set<String> own = new HashSet<>();
        plan.addresses().forEach(each -> own.add(each.ip()));
        return (int)
                InetSocket.tcpOf(space.process()).stream()
                        .filter(each -> each.ends() && own.contains(each.local()))
                        .count();
    }

    private List<InetSocket> listeners(ProcessTree tree) throws IOException {
        Set<String> own = links(tree);
        return InetSocket.tcpOf(space.process()).stream()
                .filter(each -> each.listens() && own.contains(each.link()))
                .toList();
    }

    /** Listeners with connections to be accepted, or to be made. */
    private List<InetSocket> unaccepted(ProcessTree tree) throws IOException {
        List<InetSocket> all = InetSocket.tcpOf(space.process());
        List<InetSocket> doors = listeners(tree);
        return doors.stream()
                .filter(door ->
                        door.waiting() > 0
                                || all.stream()
                                        .anyMatch(each ->
                                                each.begins()
                                                        && each.localPort() == door.localPort()))
                .toList();
    }

    private static Set<String> links(ProcessTree tree) {
        Set<String> found = new HashSet<>();
        for (Member member : tree.members()) {
            try {
                found.addAll(member.process().descriptors().values());
            } catch (IOException e) {
                // it ended
            }
        }
        return found;
    }

    /** Whether there is anything to lock, as far as was seen before the freeze. */
    public boolean locks() {
        return locker != null && plan.keeps() && (connected || !plan.addresses().isEmpty());
    }

    /**
     * Fails if there was something to lock after all.
     *
     * @param frozen the job's processes
     */
    public void orUnlocked(ProcessTree frozen) throws Problem {
        boolean couldGo = space.ofUser() || (locker != null && plan.keeps());
        if (couldGo && !locks() && !within(frozen.processes()).isEmpty()) {
            throw Problem.failed("the job connected to itself while it was frozen").passing();
        }
    }

    /** Locks the addresses; to be called when the job is frozen, before any socket is read. */
    public void lockAddresses() throws Problem, InterruptedException {
        if (locker != null && plan.keeps()) {
            locker.make("the network could not be locked");
        }
    }

    /**
     * Locks the rest.
     *
     * @param frozen the job's processes
     */
    public void lock(ProcessTree frozen) throws Problem, InterruptedException {
        ReadyCommand nft = cutter;
        if (nft == null || !plan.keeps()) {
            return;
        }
        pairs = within(frozen.processes());
        if (!pairs.isEmpty()) {
            nft.tell(lock.cutting(pairs));
            nft.orFail("the network could not be locked", NFT);
        }
        String quiet = RoutedLink.answering(plan, false);
        if (!quiet.isEmpty() && answerer != null) {
            answerer.tell(quiet);
            answerer.orFail("this node still answers for the job", NFT);
        }
    }

    /** Looks for what {@link #lock} looks for, among sockets of our own: the job still runs. */
    public static void rehearse() throws IOException {
        try (ServerSocket _ = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            within(List.of(Proc.self()));
        }
    }

    /**
     * Connections of the job to itself, whose addresses do not move: both directions of each. The
     * sockets are asked: /proc/net/tcp takes the kernel ten milliseconds.
     */
    private static List<Pair> within(List<Proc> processes) {
        Set<String> seen = new HashSet<>(); // processes share sockets
        Set<Pair> found = new LinkedHashSet<>();
        for (Proc process : processes) {
            try (PidFd held = PidFd.open(process.pid())) {
                for (Map.Entry<Integer, String> each : process.descriptors().entrySet()) {
                    if (each.getValue().startsWith("socket:") && seen.add(each.getValue())) {
                        add(held, each.getKey(), found);
                    }
                }
            } catch (IOException e) {
                // it ended
            }
        }
        return List.copyOf(found);
    }

    private static void add(PidFd process, int descriptor, Set<Pair> pairs) throws IOException {
        try (ForeignSocket socket = ForeignSocket.of(process, descriptor)) {
            InetSocketAddress local = socket.local();
            InetSocketAddress peer = local == null ? null : socket.peer();
            if (local == null || peer == null || !local.getAddress().isLoopbackAddress()) {
                return;
            }
            if (socket.get(Option.PROTOCOL) == IPPROTO_TCP && peer.getPort() != 0) {
                String here = local.getAddress().getHostAddress();
                String there = peer.getAddress().getHostAddress();
                pairs.add(new Pair(here, local.getPort(), there, peer.getPort()));
                pairs.add(new Pair(there, peer.getPort(), here, local.getPort()));
            }
        }
    }

    /** What was locked beside the addresses. */
    public List<Pair> pairs() {
        return pairs;
    }

    /** The job runs on here: its network is what it was, and the neighbours are told. */
    public void resume() throws Problem, InterruptedException {
        if (plan.locks()) {
            lock.delete();
        }
        if (plan.keeps() && !gone) { // else it may be elsewhere by now
            RoutedLink.answer(plan);
            Announcements.say(space, plan);
        }
    }

    /** The peers are told at once that their connections are of no more use; so is the job. */
    public void reset() throws Problem, InterruptedException {
        if (plan.locks()) {
            AddressMove.endConnections(space, plan.addresses());
        }
    }

    /** The job is dead here and runs elsewhere: what is left of its network goes. */
    public void end() throws Problem, InterruptedException {
        if (!plan.locks()) {
            return;
        }
        if (plan.mode() == NetworkPlan.Mode.OWN && (gone || !space.process().alive())) {
            RoutedLink.keepQuietUnlessReached(plan); // its lock went with it
            return;
        }
        if (!lock.stands()) {
            return; // it is done, and the job may have come back since
        }
        if (plan.movesAddresses()) {
            AddressMove.off(plan.addresses());
            AddressMove.endConnections(space, plan.addresses());
        }
        RoutedLink.keepQuiet(plan);
        if (plan.mode() == NetworkPlan.Mode.OWN && space.own()) {
            LinkMove.off(space, plan);
        }
        lock.delete();
    }

    @Override
    public void close() {
        if (locker != null) {
            locker.close();
        }
        for (ReadyCommand each : new ReadyCommand[] {cutter, answerer}) {
            if (each != null) {
                each.close();
            }
        }
    }
}
