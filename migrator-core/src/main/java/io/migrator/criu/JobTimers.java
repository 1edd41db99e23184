package io.migrator.criu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongFunction;
import java.util.function.Predicate;

/**
 * The timers of one process as an image has them, and what signal that is pending each may have
 * sent. One that has time left there will send it once more.
 *
 * <p>Field numbers are those of criu's images/core.proto and timer.proto.
 */
final class JobTimers {
    private static final int TASK_CORE = 3;
    private static final int TIMERS = 7;
    private static final int POSIX = 4;

    /** Interval timers by their signals: SIGALRM, SIGVTALRM, SIGPROF. */
    private static final Map<Integer, Integer> INTERVAL = Map.of(14, 1, 26, 2, 27, 3);

    private static final int INTERVAL_SECONDS_LEFT = 3;
    private static final int INTERVAL_MICROS_LEFT = 4;

    private static final int ID = 1;
    private static final int SIGNAL = 3;
    private static final int NOTIFY = 4;
    private static final int VALUE = 5;
    private static final int SECONDS_LEFT = 9;
    private static final int NANOS_LEFT = 10;
    private static final int THREAD = 11;

    /** How it tells (sigevent(3type)). */
    private static final long SIGEV_SIGNAL = 0;

    private static final long SIGEV_THREAD_ID = 4;

    /** siginfo_t, whose first number is the signal's (sigaction(2)). */
    private static final int SIGINFO_BYTES = 128;

    private static final int CODE = 8;
    private static final int SI_TIMER = -2;
    private static final int OF_TIMER_ID = 16;
    private static final int OF_TIMER_VALUE = 24;

    private final List<ProtoMessage> all;

    private JobTimers(List<ProtoMessage> all) {
        this.all = all;
    }

    /** Those of a process; none in the image of a thread that does not lead one. */
    static JobTimers in(Path core) throws IOException {
        List<ProtoMessage> found = new ArrayList<>();
        for (ProtoMessage entry : ImageFile.read(core).entries()) {
            for (ProtoMessage task : entry.messages(TASK_CORE)) {
                found.addAll(task.messages(TIMERS));
            }
        }
        return new JobTimers(found);
    }

    /** A signal that is pending for the process; empty if it will be sent once more. */
    Optional<byte[]> ofProcess(long number) {
        Integer kind = INTERVAL.get((int) number);
        for (ProtoMessage timers : all) {
            for (ProtoMessage timer : kind == null ? List.<ProtoMessage>of() : of(timers, kind)) {
                if (isLeft(timer, INTERVAL_SECONDS_LEFT, INTERVAL_MICROS_LEFT)) {
                    return Optional.empty();
                }
            }
        }
        return signal(number, timer -> timer.number(NOTIFY).orElse(0) == SIGEV_SIGNAL);
    }

    /** The same of one that is pending for a thread, by its number inside. */
    LongFunction<Optional<byte[]>> ofThread(long thread) {
        return number ->
                signal(
                        number,
                        timer ->
                                timer.number(NOTIFY).orElse(0) == SIGEV_THREAD_ID
                                        && timer.number(THREAD).orElse(0) == thread);
    }

    private Optional<byte[]> signal(long number, Predicate<ProtoMessage> fits) {
        List<ProtoMessage> senders = new ArrayList<>();
        for (ProtoMessage timers : all) {
            for (ProtoMessage timer : of(timers, POSIX)) {
                if (timer.number(SIGNAL).orElse(0) == number && fits.test(timer)) {
                    senders.add(timer);
                }
            }
        }
        List<ProtoMessage> out =
                senders.stream().filter(each -> !isLeft(each, SECONDS_LEFT, NANOS_LEFT)).toList();
        if (senders.isEmpty()) {
            return Optional.of(siginfo(number).array());
        }
        return out.size() == 1 ? Optional.of(siginfo(number, out.getFirst())) : Optional.empty();
    }

    private static List<ProtoMessage> of(ProtoMessage timers, int kind) {
        try {
            return timers.messages(kind);
        } catch (IOException _) {
            return List.of(); // criu will say so
        }
    }

    private static boolean isLeft(ProtoMessage timer, int seconds, int parts) {
        return timer.number(seconds).orElse(0) > 0 || timer.number(parts).orElse(0) > 0;
    }

    private static ByteBuffer siginfo(long number) {
        ByteBuffer info = ByteBuffer.allocate(SIGINFO_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        return info.putInt(0, (int) number);
    }

    private static byte[] siginfo(long number, ProtoMessage timer) {
        ByteBuffer info = siginfo(number).putInt(CODE, SI_TIMER);
        info.putInt(OF_TIMER_ID, (int) timer.number(ID).orElse(0));
        info.putLong(OF_TIMER_VALUE, timer.number(VALUE).orElse(0));
        return info.array();
    }
}
