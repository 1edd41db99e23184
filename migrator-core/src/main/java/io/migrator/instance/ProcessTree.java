package io.migrator.instance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.migrator.linux.FileSystem;
import io.migrator.linux.HeldFile;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Every process in an instance's pid namespace but its appinit, as seen at one moment.
 *
 * @param members in order of their pid inside
 */
public record ProcessTree(List<Member> members) {
    /**
     * One process.
     *
     * @param process as seen from the node
     * @param pid inside the instance
     * @param parent pid inside; 1 is appinit, 0 a parent outside
     * @param session inside; 0 if its leader is outside
     * @param threads pids inside of its threads
     * @param residentBytes memory in use (VmRSS)
     * @param anonymousBytes of these, those of private memory (RssAnon)
     */
    public record Member(
            Proc process,
            int pid,
            int parent,
            int session,
            String name,
            int uid,
            List<Integer> threads,
            long residentBytes,
            long anonymousBytes) {}

    /** Looks at the instance now. Processes that end meanwhile are left out. */
    public static ProcessTree of(Instance instance) throws Problem {
        return of(instance, process -> false);
    }

    /**
     * The same while criu holds a restore in it, whose processes still have criu's capabilities, so
     * that their owner may not look at all of them.
     *
     * @param criu pid as seen from the node
     */
    public static ProcessTree heldBy(long criu, Instance instance) throws Problem {
        return of(instance, process -> descends(process, criu));
    }

    private static ProcessTree of(Instance instance, Predicate<Proc> also) throws Problem {
        try {
            Predicate<Proc> isIn = membership(instance, also);
            List<Member> members = new ArrayList<>();
            for (Proc process : Proc.all()) {
                if (process.pid() != instance.appinit() && isIn.test(process)) {
                    addIfAlive(process, members);
                }
            }
            members.sort(Comparator.comparingInt(Member::pid));
            return new ProcessTree(List.copyOf(members));
        } catch (IOException e) {
            throw Problem.failed("the processes of instance '" + instance.name() + "' are not seen")
                    .because(e.toString())
                    .causedBy(e);
        }
    }

    /** The processes whose parent is appinit or outside: each is the root of a tree. */
    public List<Member> roots() {
        return members.stream().filter(member -> member.parent <= 1).toList();
    }

    /**
     * The same without a process and all those below it.
     *
     * @param process pid as seen from the node
     */
    public ProcessTree without(long process) {
        Set<Integer> out = new HashSet<>();
        List<Member> left = new ArrayList<>();
        for (Member member : members) { // a parent's pid is mostly lower, but need not be
            if (member.process.pid() == process) {
                out.add(member.pid);
            }
        }
        boolean more = !out.isEmpty();
        while (more) {
            more = false;
            for (Member member : members) {
                more |= out.contains(member.parent) && out.add(member.pid);
            }
        }
        members.stream().filter(member -> !out.contains(member.pid)).forEach(left::add);
        return new ProcessTree(List.copyOf(left));
    }

    /** The processes themselves. */
    public List<Proc> processes() {
        return members.stream().map(Member::process).toList();
    }

    /** Sum of the processes' resident memory; pages that they share count for each of them. */
    public long residentBytes() {
        return members.stream().mapToLong(Member::residentBytes).sum();
    }

    /** Of the resident memory what criu puts into its images: shared memory and file mappings. */
    public long imageBytes() {
        return members.stream()
                .mapToLong(member -> member.residentBytes - member.anonymousBytes)
                .sum();
    }

    /** Pids as seen from the node. */
    public List<Long> hostPids() {
        return members.stream().map(member -> member.process.pid()).toList();
    }

    /** All pids and thread ids inside. */
    public List<Integer> innerPids() {
        return members.stream().flatMap(member -> member.threads.stream()).toList();
    }

    /**
     * Processes below an instance's appinit that are in a pid namespace of their own (a sandbox's,
     * for example). No {@link #of} has them, and no dump of its trees.
     *
     * @return their pids and names, for messages
     */
    public static List<String> nested(Instance instance) throws Problem {
        try {
            int depth = new Proc(instance.appinit()).statusNumbers("NSpid").size();
            List<String> nested = new ArrayList<>();
            for (Proc process : Proc.all()) {
                nested(process, instance.appinit(), depth).ifPresent(nested::add);
            }
            return nested;
        } catch (IOException e) {
            throw Problem.failed("the processes of instance '" + instance.name() + "' are not seen")
                    .because(e.toString())
                    .causedBy(e);
        }
    }

    private static Optional<String> nested(Proc process, long appinit, int depth) {
        try {
            return descends(process, appinit) && isDeeper(process, depth)
                    ? Optional.of(process.pid() + " (" + process.name() + ")")
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // it ended
        }
    }

    /**
     * By the pid namespace. Where Apptainer's setuid starter made the instance, its owner may not
     * look at that of appinit, but sees what the processes in it see, and who descends from it.
     *
     * @param hidden which others are in it that he may not look at either
     */
    private static Predicate<Proc> membership(Instance instance, Predicate<Proc> hidden)
            throws IOException {
        try {
            String namespace = new Proc(instance.appinit()).namespace("pid");
            return process -> isIn(process, namespace);
        } catch (AccessDeniedException e) {
            int depth = new Proc(instance.appinit()).statusNumbers("NSpid").size();
            Predicate<Proc> below =
                    process -> !isDeeper(process, depth) && descends(process, instance.appinit());
            return below.or(process -> sees(process, instance)).or(hidden);
        }
    }

    private static boolean isDeeper(Proc process, int depth) {
        try {
            return process.statusNumbers("NSpid").size() > depth;
        } catch (IOException e) {
            return false; // it ended
        }
    }

    /** Its own /proc tells who is pid 1 there; a start time to the tick is nearly a name. */
    private static boolean sees(Proc process, Instance instance) {
        try {
            if (process.statusNumbers("NSpid").size() < 2) {
                return false;
            }
            try (HeldFile stat = HeldFile.open(process.file("root/proc/1/stat"))) {
                // it may have put anything there, and of any length
                return FileSystem.of(stat.file()).isProc()
                        && Proc.startTimeIn(Files.readString(stat.file(), ISO_8859_1))
                                == instance.startTime();
            }
        } catch (IOException e) {
            return false; // another user's, or it ended
        }
    }

    private static boolean isIn(Proc process, String namespace) {
        try {
            return process.namespace("pid").equals(namespace);
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean descends(Proc process, long from) {
        try {
            long above = process.parent();
            while (above > 1 && above != from) {
                above = new Proc(above).parent();
            }
            return above == from;
        } catch (IOException e) {
            return false; // it ended
        }
    }

    private static void addIfAlive(Proc process, List<Member> members) {
        try {
            Proc.Status status = process.status();
            char state = status.line("State").orElse("X").charAt(0);
            if (state == 'Z' || state == 'X') {
                return;
            }
            List<Long> pids = status.numbers("NSpid");
            int pid = pids.getLast().intValue();
            List<Integer> threads = new ArrayList<>();
            for (Proc thread : process.threads()) {
                boolean first = thread.pid() == process.pid();
                threads.add(first ? pid : (int) thread.innerPid());
            }
            long parent = status.numbers("PPid").getFirst();
            members.add(
                    new Member(
                            process,
                            pid,
                            parent == 0 ? 0 : innerPidIfInside(parent, pids.size()),
                            status.numbers("NSsid").getLast().intValue(),
                            process.name(),
                            status.numbers("Uid").getFirst().intValue(),
                            List.copyOf(threads),
                            bytes(status, "VmRSS"),
                            bytes(status, "RssAnon")));
        } catch (IOException e) {
            // it ended while we looked: it is not there
        }
    }

    /**
     * The pid of a parent, 0 if it is outside.
     *
     * @param depth of the child's pid namespace
     */
    private static int innerPidIfInside(long parent, int depth) throws IOException {
        List<Long> pids = new Proc(parent).statusNumbers("NSpid");
        // a parent outside is in a namespace above (pid_namespaces(7)), and has fewer of them
        return pids.size() == depth ? pids.getLast().intValue() : 0;
    }

    private static long bytes(Proc.Status status, String name) {
        return status.line(name).map(text -> Long.parseLong(text.split(" ")[0]) * 1024).orElse(0L);
    }
}
