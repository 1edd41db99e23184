package io.migrator.criu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Keeps periodic timerfds alive over a dump. The kernel arms such a timer again only when it is
 * read: one that has expired but was not read yet has no time left (timerfd_create(2), fdinfo), and
 * criu restores "no time left" as disarmed, silently: it never fires again. A freeze outlasts many
 * periods, so this hits most of them. Here such a timer gets the least time there is.
 *
 * <p>Field numbers are those of criu's images/fdinfo.proto and timerfd.proto.
 */
public final class ExpiredTimers {
    private static final int FILE_TIMERFD = 12;
    private static final int TICKS = 5;
    private static final int LEFT_SECONDS = 7;
    private static final int LEFT_NANOS = 8;
    private static final int INTERVAL_SECONDS = 9;
    private static final int INTERVAL_NANOS = 10;

    private ExpiredTimers() {}

    /**
     * Changes the images of a dump that is held.
     *
     * @return how many timers were helped
     */
    public static int arm(Path images) throws IOException {
        return ImageFile.edit(
                images.resolve("files.img"),
                entry -> {
                    List<ProtoMessage> timers = entry.messages(FILE_TIMERFD);
                    return timers.size() == 1 && isExpired(timers.getFirst())
                            ? entry.replacing(
                                    FILE_TIMERFD,
                                    timers.getFirst().without(LEFT_NANOS).with(LEFT_NANOS, 1))
                            : null;
                });
    }

    /** Periodic, with expirations that nobody read; a timer that was disarmed has none. */
    private static boolean isExpired(ProtoMessage timer) {
        return number(timer, LEFT_SECONDS) == 0
                && number(timer, LEFT_NANOS) == 0
                && number(timer, TICKS) > 0
                && (number(timer, INTERVAL_SECONDS) > 0 || number(timer, INTERVAL_NANOS) > 0);
    }

    private static long number(ProtoMessage timer, int field) {
        return timer.number(field).orElse(0);
    }
}
