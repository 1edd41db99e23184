package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.check.Preflight;
import io.migrator.criu.DumpedLocks;
import io.migrator.files.FileLocks;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Whether locks that the job holds on files can go with it. The frozen source keeps them until it
 * dies, so on a file that the target sees too they cannot be taken there before; and to release
 * them first would hand them to whoever waits, while the job believes that it has them. So only
 * locks on files go that nobody there can know: those that are carried.
 */
final class LockChecks {
    private LockChecks() {}

    /**
     * Locks that forbid the move.
     *
     * @param carries says of a path whether its file goes along
     */
    static List<Finding> of(ProcessTree tree, Predicate<String> carries) {
        List<Finding> findings = new ArrayList<>();
        for (Member member : tree.members()) {
            try {
                for (FileLocks.Lock lock : FileLocks.of(member.process())) {
                    if (!lock.goesWith(carries)) {
                        findings.add(finding(member, lock));
                    }
                }
            } catch (IOException e) {
                // it ended while we looked: its locks are gone too
            }
        }
        return findings;
    }

    private static Finding finding(Member member, FileLocks.Lock lock) {
        return Finding.forbidden(
                "file-locks",
                "process %d (%s) holds %s on %s"
                        .formatted(member.pid(), member.name(), lock.kind().text(), lock.path()),
                "the frozen job keeps it until it has moved, so it cannot be taken on the target;"
                        + " released for the move, another could take it",
                "wait until the program releases it, start the program without locks, or let it"
                        + " keep the file on this node alone, or in its run directory"
                        + " (~/.migrator/runs)");
    }

    /**
     * Refuses, now that it is known which files are carried.
     *
     * @param carries as {@link #of} has it
     */
    static void orRefuse(ProcessTree tree, String instance, Predicate<String> carries)
            throws Problem {
        new Preflight(of(tree, carries)).orRefuse(instance);
    }

    /**
     * Fails if the job took such a lock after it was looked at; called while it is held.
     *
     * @param images of the dump
     * @param carries as {@link #of} has it
     */
    static void orTaken(Path images, ProcessTree tree, Predicate<String> carries) throws Problem {
        try {
            for (DumpedLocks.Lock lock : DumpedLocks.of(images)) {
                for (Member member : tree.members()) {
                    if (member.pid() == lock.pid()) {
                        orTaken(member, lock.descriptor(), carries);
                    }
                }
            }
        } catch (IOException e) {
            throw Problem.failed("the job's file locks cannot be read").because(e.toString());
        }
    }

    private static void orTaken(Member member, int descriptor, Predicate<String> carries)
            throws Problem, IOException {
        Path link = member.process().file("fd/" + descriptor);
        String path = Files.readSymbolicLink(link).toString();
        if (!new FileLocks.Lock(FileLocks.Kind.FLOCK, path).goesWith(carries)) {
            throw Problem.failed("the job took a file lock while it was being moved")
                    .because(
                            "process %d (%s) has locked %s"
                                    .formatted(member.pid(), member.name(), path))
                    .tryThis("try again when the program does not hold it");
        }
    }
}
