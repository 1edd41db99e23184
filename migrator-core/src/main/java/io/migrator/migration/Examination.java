package io.migrator.migration;

import io.migrator.criu.MemoryMap;
import io.migrator.handover.Handover.TargetEvent;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Finds out after a crash whether a job that was taken has executed. Between "yes" and criu's
 * pre-resume all its threads hang in criu's restorer, at one barrier that is opened for all of them
 * at once (cr-restore.c, CR_STATE_RESTORE_CREDS). The restorer's code lies outside every mapping of
 * the images: a thread whose instruction pointer is in one of them has left it, or never entered.
 * criu must have ended.
 */
final class Examination {
    /** So often all threads must be seen at the barrier, that long apart. */
    private static final int LOOKS = 10;

    private static final int LOOK_MILLIS = 20;

    /** criu writes this when the tasks stand before their first instruction (action-scripts.c). */
    private static final Pattern LET_GO =
            Pattern.compile("\\([0-9. ]+\\) Running pre-resume scripts");

    private Examination() {}

    /**
     * Looks.
     *
     * @param instance null if it is gone
     * @param fills true if some of the job's memory comes after it was let go
     * @return FOUND_RUN, FOUND_FILLING or FOUND_NEVER_RAN
     */
    static TargetEvent of(@Nullable Instance instance, Path images, boolean fills)
            throws Problem, InterruptedException {
        TargetEvent ran = fills ? TargetEvent.FOUND_FILLING : TargetEvent.FOUND_RUN;
        try {
            for (int look = 0; look < LOOKS; look++) {
                List<ProcessTree.Member> members = ofTheJob(instance, images);
                if (members.isEmpty()) {
                    return saysLetGo(images.resolve("restore.log"))
                            ? ran
                            : TargetEvent.FOUND_NEVER_RAN;
                }
                if (hasAnyLeft(members, images)) {
                    return ran;
                }
                Thread.sleep(LOOK_MILLIS);
            }
            return TargetEvent.FOUND_NEVER_RAN;
        } catch (IOException e) {
            throw Problem.undecided("what became of the job cannot be seen")
                    .because(e.toString())
                    .causedBy(e);
        }
    }

    /** Others may be in the instance by somebody's {@code apptainer exec}: they prove nothing. */
    private static List<ProcessTree.Member> ofTheJob(@Nullable Instance instance, Path images)
            throws Problem {
        return instance == null
                ? List.of()
                : ProcessTree.of(instance).members().stream()
                        .filter(each -> Files.exists(MemoryMap.imageOf(images, each.pid())))
                        .toList();
    }

    private static boolean hasAnyLeft(List<ProcessTree.Member> members, Path images)
            throws IOException {
        for (ProcessTree.Member member : members) {
            MemoryMap map = MemoryMap.read(MemoryMap.imageOf(images, member.pid()));
            for (Proc thread : member.process().threads()) {
                if (hasLeft(member.process(), thread, map)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Of a thread on a processor the kernel tells nothing; at the barrier all sleep. */
    private static boolean hasLeft(Proc process, Proc thread, MemoryMap map) throws IOException {
        Path file = process.file("task/" + thread.pid() + "/syscall");
        try {
            String text = Files.readString(file).strip();
            return text.equals("running")
                    || map.holds(
                            Long.parseUnsignedLong(text.substring(text.lastIndexOf("0x") + 2), 16));
        } catch (NoSuchFileException e) {
            return true; // it ended, which a thread at the barrier does not
        }
    }

    private static boolean saysLetGo(Path log) throws IOException {
        if (!Files.exists(log)) {
            return false;
        }
        try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
            return lines.anyMatch(line -> LET_GO.matcher(line).matches());
        }
    }
}
