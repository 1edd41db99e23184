package io.migrator.memory;

import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Which tracker a process gets, and what is to be told of that. One thread at a time. */
final class Trackers {
    /** The hashes of so much take a third of the heap that a migration has. */
    private static final long MOST_HASHED_BYTES = 32L << 30;

    private static final int READ_BYTES = 1 << 20;

    private final Tracking tracking;
    private final List<String> unwatched = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private long hashedBytes;

    /** What one after the other reads into. */
    private @Nullable ByteBuffer buffer;

    Trackers(Tracking tracking) {
        this.tracking = tracking;
    }

    /**
     * That of a process.
     *
     * @param held the same process, to be closed later than the tracker
     * @return null if it cannot be watched
     */
    @Nullable WriteTracker of(Member member, PidFd held) {
        try {
            if (tracking == Tracking.HASH) {
                return comparing(member);
            }
            return WriteProtection.of(member.process(), held);
        } catch (IOException e) {
            return tracking == Tracking.AUTO ? another(member, e) : none(member, e);
        }
    }

    /**
     * In the place of one that does not see all.
     *
     * @return null if there is none
     */
    @Nullable WriteTracker insteadOf(WriteTracker other, Member member, IOException reason) {
        boolean first = tracking == Tracking.AUTO && other instanceof WriteProtection;
        return first ? another(member, reason) : none(member, reason);
    }

    private @Nullable WriteTracker another(Member member, IOException reason) {
        try {
            WriteTracker tracker = comparing(member);
            notes.add(
                    "%s is compared page by page, in the end while it stands still: %s"
                            .formatted(of(member), reason.getMessage()));
            return tracker;
        } catch (IOException e) {
            return none(member, e);
        }
    }

    private @Nullable WriteTracker none(Member member, IOException reason) {
        if (!isEnding(member.process())) {
            unwatched.add(of(member) + ": " + reason.getMessage());
        }
        return null;
    }

    private WriteTracker comparing(Member member) throws IOException {
        if (hashedBytes + member.residentBytes() > MOST_HASHED_BYTES) {
            throw new IOException(
                    "hashes can be kept of %d GB of memory, and there are %d more"
                            .formatted(MOST_HASHED_BYTES >> 30, member.residentBytes() >> 30));
        }
        ByteBuffer into = buffer;
        if (into == null) {
            into = ByteBuffer.allocateDirect(READ_BYTES);
            buffer = into;
        }
        WriteTracker tracker = new HashCompare(member.process(), into);
        tracker.orBlind();
        hashedBytes += member.residentBytes();
        return tracker;
    }

    private static String of(Member member) {
        return "process %d (%s)".formatted(member.pid(), member.name());
    }

    /** It has no memory any more; its files, too, are root's then, which looks like a refusal. */
    static boolean isEnding(Proc process) {
        try {
            return !process.alive() || process.status("VmSize").isEmpty();
        } catch (IOException e) {
            return true;
        }
    }

    /** Processes that cannot be watched, and why. */
    List<String> unwatched() {
        return List.copyOf(unwatched);
    }

    /** Processes that are watched in another way than usual, and why. */
    List<String> notes() {
        return List.copyOf(notes);
    }
}
