package io.migrator.criu;

import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongFunction;

/**
 * Keeps signals that came during a dump. criu writes down first which signals are pending and last
 * what is left of the timers (criu/cr-dump.c, dump_one_task): of a timer that runs out in between
 * it has neither the signal nor the time, and who waits for it would wait forever.
 *
 * <p>A timer that has time left in the images will run out there, once more: its signal is not
 * kept. Of POSIX timers with the same signal of which several have none left it cannot be told
 * which it was: their signal is lost, as criu loses it.
 *
 * <p>Who sent a signal is not told by /proc: it is said to come from nobody, as the kernel itself
 * says when it has no room for more. Of several that are the same one is kept. A POSIX timer's
 * names its timer.
 *
 * <p>Field numbers are those of criu's images/core.proto, siginfo.proto and timer.proto.
 */
public final class LateSignals {
    private static final int TASK_CORE = 3;
    private static final int THREAD_CORE = 5;
    private static final int SHARED = 10;
    private static final int OWN = 9;
    private static final int SIGNALS = 1;
    private static final int SIGINFO = 1;

    /** KILL, CONT and STOP: they are the seal's, or nothing to be kept. */
    private static final long NOT_KEPT = 1L << 8 | 1L << 17 | 1L << 18;

    private LateSignals() {}

    /**
     * Changes the images of a dump that is held.
     *
     * @param pid inside, of the same process; one that is not dumped is left alone
     * @param process whose threads are all held by criu
     * @return how many signals were kept
     */
    public static int keep(Path images, int pid, Proc process) throws IOException {
        if (!Files.exists(core(images, pid))) {
            return 0;
        }
        int kept = 0;
        JobTimers timers = null;
        for (Proc thread : process.threads()) {
            Proc.Status status = thread.status();
            boolean leads = thread.equals(process);
            long own = pending(status, "SigPnd");
            long shared = leads ? pending(status, "ShdPnd") : 0;
            if ((own | shared) == 0) {
                continue;
            }
            if (timers == null) {
                timers = JobTimers.in(core(images, pid));
            }
            long inside = status.numbers("NSpid").getLast();
            kept += keep(core(images, inside), inside, own, shared, timers);
        }
        return kept;
    }

    private static Path core(Path images, long pid) {
        return images.resolve("core-" + pid + ".img");
    }

    private static long pending(Proc.Status status, String line) {
        return Long.parseUnsignedLong(status.line(line).orElse("0"), 16) & ~NOT_KEPT;
    }

    /** Of one thread: what is pending for it alone, and for all of its process. */
    static int keep(Path core, long thread, long own, long shared, JobTimers timers)
            throws IOException {
        int[] kept = {0};
        ImageFile.edit(
                core,
                entry -> {
                    int before = kept[0];
                    ProtoMessage task =
                            with(entry, TASK_CORE, SHARED, shared, timers::ofProcess, kept);
                    ProtoMessage whole =
                            with(task, THREAD_CORE, OWN, own, timers.ofThread(thread), kept);
                    return kept[0] == before ? null : whole;
                });
        return kept[0];
    }

    /** Adds to the queue in one part of an entry what is pending and not in it. */
    private static ProtoMessage with(
            ProtoMessage entry,
            int part,
            int queue,
            long pending,
            LongFunction<Optional<byte[]>> siginfos,
            int[] kept)
            throws IOException {
        if (pending == 0 || entry.messages(part).size() != 1) {
            return entry;
        }
        ProtoMessage core = entry.messages(part).getFirst();
        ProtoMessage signals = ProtoMessage.empty();
        Set<Long> queued = new HashSet<>();
        for (ProtoMessage each : core.messages(queue)) {
            signals = each;
            for (ProtoMessage signal : each.messages(SIGNALS)) {
                queued.add(number(signal));
            }
        }
        for (long number = 1; number <= Long.SIZE; number++) {
            if ((pending >>> (number - 1) & 1) != 0 && !queued.contains(number)) {
                Optional<byte[]> info = siginfos.apply(number);
                if (info.isPresent()) {
                    signals = signals.with(SIGNALS, ProtoMessage.empty().with(SIGINFO, info.get()));
                    kept[0]++;
                }
            }
        }
        return entry.replacing(part, core.without(queue).with(queue, signals));
    }

    private static long number(ProtoMessage signal) throws IOException {
        byte[] info = signal.bytes(SIGINFO).orElse(new byte[0]);
        if (info.length < Integer.BYTES) {
            throw new IOException("a signal without a number");
        }
        return ByteBuffer.wrap(info).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }
}
