package io.migrator.migration;

import io.migrator.instance.Apptainer;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.StartOptions;
import io.migrator.linux.Cgroup;
import io.migrator.linux.Proc;
import io.migrator.network.NetworkPlan;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** An instance without a payload in which given pids are free. */
final class EmptyInstance {
    /** appinit's threads get other ids at each start; this often is enough for any payload seen. */
    private static final int STARTS = 8;

    /** How far criu's helpers must keep off the pids to be restored. */
    private static final int HELPERS = 1000;

    /** In which apptainer's own shell ends. */
    private static final Duration SETTLES = Duration.ofSeconds(2);

    private static final String SCRIPT = "startscript";
    private static final Set<PosixFilePermission> SCRIPT_RIGHTS =
            PosixFilePermissions.fromString("rwxr-xr-x");

    private static final int LOOK_MILLIS = 5;
    private static final int FIRST_CHOICE = 20000;
    private static final int LEAST_PID_MAX = 32768;

    private EmptyInstance() {}

    /** Refuses a name that an instance has already. */
    static void orNameTaken(String name) throws Problem {
        if (Instances.ofThisUser().find(name).isPresent()) {
            throw Problem.refused("the instance name is taken")
                    .because("an instance '" + name + "' runs there");
        }
    }

    /**
     * Starts the instance, again and again until no thread of its appinit has one of the ids. The
     * image's start script is kept out: the job brings what it started.
     *
     * @param scratch directory for a file of the moment
     */
    static Instance start(Order order, Path scratch) throws Problem, InterruptedException {
        StartOptions options = order.start().withStartScript(emptyScript(scratch));
        if (order.network().mode() == NetworkPlan.Mode.OWN) {
            options = options.withOwnNetwork();
        }
        Set<Integer> clash = Set.of();
        for (int tries = 0; tries < STARTS; tries++) {
            Apptainer.start(order.instance(), options);
            Instance started = Instances.ofThisUser().get(order.instance());
            orOfAnotherMode(started, order);
            clash = new TreeSet<>(order.pids());
            clash.retainAll(threadsOf(started));
            if (clash.isEmpty()) {
                orNotEmpty(started);
                return started;
            }
            Apptainer.stop(order.instance());
        }
        throw Problem.failed("the pids of the job are not free in a new instance")
                .because("appinit has threads " + clash + " there at every start")
                .tryThis("start the job again with migrator run, which avoids these pids");
    }

    /**
     * Its owner has other rights in it than he had on the source, and it other rights than the job.
     */
    private static void orOfAnotherMode(Instance started, Order order) throws Problem {
        boolean wanted = order.start().inUserNamespace();
        if (started.userNamespace() != wanted) {
            throw Problem.refused("apptainer makes another kind of instance on this node")
                    .because(
                            wanted
                                    ? "it has no user namespace of its own"
                                    : "it has a user namespace of its own: the setuid starter is"
                                            + " not installed, or forbidden by apptainer.conf")
                    .tryThis("choose a node where apptainer is installed like on the source");
        }
    }

    /**
     * Whether an instance was started for a migration, as far as that can be seen: by the start
     * script it was given, which only an image that is written to may lack.
     */
    static boolean isOf(Instance found, String id) throws Problem {
        try {
            return found.start().arguments().contains("--writable")
                    || Files.readString(new Proc(found.appinit()).file("mountinfo"))
                            .contains("/" + id + "/" + SCRIPT);
        } catch (IOException e) {
            throw Problem.failed("the mounts of instance '" + found.name() + "' are not seen")
                    .because(e.toString());
        }
    }

    private static Path emptyScript(Path scratch) throws Problem {
        Path script = scratch.resolve(SCRIPT);
        try {
            if (!Files.exists(script)) {
                Files.writeString(script, "#!/bin/sh\n");
                Files.setPosixFilePermissions(script, SCRIPT_RIGHTS);
            }
            return script;
        } catch (IOException e) {
            throw Problem.failed("the new instance cannot be prepared").because(e.toString());
        }
    }

    /** What a start script leaves would run beside the job, which brings its own. */
    private static void orNotEmpty(Instance started) throws Problem, InterruptedException {
        long end = System.nanoTime() + SETTLES.toNanos();
        List<ProcessTree.Member> found = ProcessTree.of(started).members();
        while (!found.isEmpty() && System.nanoTime() < end) {
            Thread.sleep(LOOK_MILLIS);
            found = ProcessTree.of(started).members();
        }
        if (!found.isEmpty()) {
            throw Problem.refused("the new instance is not empty")
                    .because(
                            "process %d (%s) runs in it, perhaps from a start script of the image"
                                    .formatted(found.getFirst().pid(), found.getFirst().name()))
                    .tryThis("use an image without a start script that leaves processes");
        }
    }

    /**
     * Puts this process, and so criu and the job, into the cgroup of the instance.
     *
     * @return false if that is not ours to do
     */
    static boolean join(Instance empty) throws Problem {
        try {
            return Cgroup.join(new Proc(empty.appinit()));
        } catch (IOException e) {
            throw Problem.failed("the cgroup of the new instance cannot be entered")
                    .because(e.toString());
        }
    }

    private static Set<Integer> threadsOf(Instance started) throws Problem {
        try {
            Set<Integer> ids = new TreeSet<>();
            for (Proc thread : new Proc(started.appinit()).threads()) {
                ids.add((int) thread.innerPid());
            }
            return ids;
        } catch (IOException e) {
            throw Problem.failed("the new instance ended at once").because(e.toString());
        }
    }

    /** A place for the pid counter with room for criu's helpers before the next pid in use. */
    static int lastPid(List<Integer> pids) {
        int candidate = FIRST_CHOICE;
        for (int tries = 0; tries <= Math.min(pids.size(), LEAST_PID_MAX / HELPERS); tries++) {
            int from = candidate;
            if (pids.stream().noneMatch(pid -> pid >= from && pid < from + HELPERS)) {
                break;
            }
            candidate += HELPERS;
            if (candidate + HELPERS > LEAST_PID_MAX) {
                candidate = HELPERS;
            }
        }
        return candidate;
    }
}
