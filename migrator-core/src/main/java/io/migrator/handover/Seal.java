package io.migrator.handover;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;

import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Cgroup;
import io.migrator.linux.PidFd;
import io.migrator.linux.PidFd.Signal;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Keeps a tree that criu holds from running one instruction more, whatever dies (facts: handover.md
 * section A; none of 140 ran).
 *
 * <p>Where this user may make a cgroup, the tree is gathered in one of its own while it still runs,
 * and that is frozen: no signal but SIGKILL gets through, what is forked meanwhile is in it too,
 * and criu is needed no more. Elsewhere a SIGSTOP is queued to every process while all its threads
 * are in ptrace-stop, and delivered when the tracer lets go. That one yields to anybody's SIGCONT,
 * so criu has to go on holding.
 *
 * <p>Set only between criu's post-dump and its verdict: a stop signal queued earlier would be in
 * the images, and in a frozen cgroup criu can do nothing. One thread.
 */
public final class Seal implements AutoCloseable {
    private static final int PASSES = 20;
    private static final int FREEZE_MILLIS = 100;
    private static final int EMPTY_MILLIS = 5000;

    /** States of a process that executes nothing: stopped, traced, dead. */
    private static final String STANDING = "TtZX";

    /**
     * A process under a seal.
     *
     * @param pid as seen from the node
     * @param startTime with the pid its identity
     * @param wasStopped true if somebody else had stopped it before
     */
    public record Member(long pid, long startTime, boolean wasStopped) {}

    /**
     * A seal as a journal keeps it.
     *
     * @param cgroup the tree's own; null if it is sealed by signals
     * @param members the tree; one in a cgroup may have grown since
     */
    public record Note(
            @JsonSetter(nulls = Nulls.SET) @Nullable String cgroup, List<Member> members) {
        /** Of a job that nobody touched. */
        public static final Note NONE = new Note(null, List.of());
    }

    private record Held(PidFd process, Member member) {}

    private final @Nullable Cgroup group;
    private final List<Held> tree;

    private Seal(@Nullable Cgroup group, List<Held> tree) {
        this.group = group;
        this.tree = tree;
    }

    /**
     * Takes hold of every process of an instance, in a cgroup where that can be. Processes that end
     * meanwhile are left out.
     *
     * @param name for the cgroup
     */
    public static Seal over(Instance instance, ProcessTree tree, String name)
            throws IOException, Problem {
        List<Member> members = new ArrayList<>();
        for (ProcessTree.Member each : tree.members()) {
            Proc process = each.process();
            try {
                members.add(new Member(process.pid(), process.startTime(), process.state() == 'T'));
            } catch (IOException e) {
                // it ended
            }
        }
        Optional<Cgroup> group = gathered(instance, tree, name);
        return new Seal(group.orElse(null), held(members));
    }

    /**
     * The seal of a journal, to be lifted or ended. Processes that are gone are left out.
     *
     * @throws IOException if it names what cannot be the cgroup of a migration
     */
    public static Seal of(Note note, String name) throws IOException {
        Cgroup group = note.cgroup == null ? null : new Cgroup(Path.of(note.cgroup));
        if (group != null && !group.directory().endsWith(name)) {
            throw new IOException(group.directory() + " is not the cgroup of this migration");
        }
        return new Seal(group, held(note.members));
    }

    private static List<Held> held(List<Member> members) {
        List<Held> held = new ArrayList<>();
        for (Member member : members) {
            try {
                held.add(held(member));
            } catch (IOException e) {
                // it is gone, or another one by now
            }
        }
        return held;
    }

    private static Held held(Member member) throws IOException {
        PidFd process = PidFd.open(member.pid);
        try {
            if (new Proc(member.pid).startTime() == member.startTime) {
                return new Held(process, member);
            }
            throw new IOException("process " + member.pid + " is another one by now");
        } catch (IOException e) {
            process.close();
            throw e;
        }
    }

    /** One that has ended is nowhere else. */
    private static boolean isIn(Optional<Cgroup> home, Proc process) throws IOException {
        try {
            return Cgroup.of(process).equals(home);
        } catch (IOException e) {
            if (process.alive()) {
                throw e;
            }
            return true;
        }
    }

    /** Empty if the tree is spread over cgroups, or they are not ours to write. */
    private static Optional<Cgroup> gathered(Instance instance, ProcessTree tree, String name)
            throws IOException, Problem {
        Optional<Cgroup> home = Cgroup.of(tree.members().getFirst().process());
        for (ProcessTree.Member each : tree.members()) {
            if (!isIn(home, each.process())) {
                return Optional.empty();
            }
        }
        Optional<Cgroup> made = home.flatMap(parent -> parent.create(name));
        if (made.isPresent() && !gather(instance, made.get())) {
            disperse(made.get());
            return Optional.empty();
        }
        return made;
    }

    /** What forks while we look is found by the next pass; false if somebody is always outside. */
    private static boolean gather(Instance instance, Cgroup group) throws IOException, Problem {
        for (int pass = 0; pass < PASSES; pass++) {
            List<Long> inside = group.members();
            List<Long> outside =
                    ProcessTree.of(instance).hostPids().stream()
                            .filter(pid -> !inside.contains(pid))
                            .toList();
            if (outside.isEmpty()) {
                return true;
            }
            for (long pid : outside) {
                if (!group.add(pid) && new Proc(pid).alive()) {
                    return false;
                }
            }
        }
        return false;
    }

    private static void disperse(Cgroup group) throws IOException {
        for (int pass = 0; pass < PASSES && !group.members().isEmpty(); pass++) {
            group.members().forEach(group.parent()::add);
        }
        group.delete(EMPTY_MILLIS);
    }

    /** For the journal. */
    public Note note() {
        return new Note(
                group == null ? null : group.directory().toString(),
                tree.stream().map(Held::member).toList());
    }

    /** True if the seal holds without a tracer, against every signal but SIGKILL. */
    public boolean standsAlone() {
        return group != null;
    }

    /**
     * In force when this returns: the tree stands still until {@link #lift} or {@link #kill}. May
     * be done again.
     */
    public void set() throws IOException {
        if (group == null) {
            for (Held held : tree) {
                held.process.send(Signal.STOP);
            }
            return;
        }
        group.freeze(true);
        long end = System.nanoTime() + FREEZE_MILLIS * 1_000_000L;
        while (!group.isFrozen()) {
            if (System.nanoTime() > end) {
                throw new IOException("the cgroup " + group.directory() + " does not freeze");
            }
        }
    }

    /**
     * Takes hold of a process that criu holds too, being forked after the look at the tree; {@link
     * #set} seals it. Only where signals seal: a cgroup has it already.
     */
    public void take(Proc process) throws IOException {
        tree.add(held(new Member(process.pid(), process.startTime(), false)));
    }

    /** The pids of the processes that are under this seal. */
    public Set<Long> covered() throws IOException {
        return group == null
                ? tree.stream().map(held -> held.member.pid).collect(Collectors.toSet())
                : Set.copyOf(group.members());
    }

    /**
     * True if one of these processes, sealed alive, was killed since: only SIGKILL gets through.
     */
    public boolean hasLost(List<Proc> sealed) throws IOException {
        if (group == null) {
            return !sealed.stream().allMatch(Proc::alive);
        }
        // one read for all; the dead are not in it
        return !covered().containsAll(sealed.stream().map(Proc::pid).toList());
    }

    /** Lets the tree run on, but for those processes that stood before. May be done again. */
    public void lift() throws IOException {
        if (group == null) {
            for (Held held : tree) {
                if (!held.member.wasStopped) {
                    held.process.send(Signal.CONT);
                }
            }
        } else if (group.exists()) {
            group.freeze(false);
            disperse(group);
        }
    }

    /**
     * True if some of the tree runs on that this seal had stopped: its memory is not any more what
     * it was. What is gone, or was stopped by somebody else, does not run.
     */
    public boolean isLifted() throws IOException {
        if (group != null && group.exists()) {
            return !group.isFrozen();
        }
        return tree.stream().anyMatch(held -> runs(held.member));
    }

    private static boolean runs(Member member) {
        try {
            return STANDING.indexOf(new Proc(member.pid).state()) < 0;
        } catch (IOException e) {
            return false; // it is gone
        }
    }

    /** Ends the tree for good: the job runs elsewhere. May be done again. */
    public void kill() throws IOException {
        for (Held held : tree) {
            held.process.send(Signal.KILL);
        }
        if (group != null && group.exists()) {
            group.kill();
            group.delete(EMPTY_MILLIS);
        }
    }

    @Override
    public void close() {
        tree.forEach(held -> held.process.close());
    }
}
