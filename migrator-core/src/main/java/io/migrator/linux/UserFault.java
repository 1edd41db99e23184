package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Missing pages of another process's memory, which we give it (userfaultfd(2),
 * ioctl_userfaultfd(2)). Whoever made the descriptor, as criu does, made it non-blocking, asked for
 * the events of fork, remap, remove and unmap, and registered the mappings.
 *
 * <p>A thread that touches a missing page stands still until the page is given. So does one that
 * forks, moves, removes or unmaps until its event has been read by {@link #next}: meanwhile no page
 * can be given ({@link Outcome#CHANGING}). A fault is told once: who takes the descriptor over from
 * another that may have read some must fill these pages, or {@link #wake} all, whereupon they are
 * told anew. The end of the process is not told at all.
 *
 * <p>Once nobody holds it any more the kernel fills what is still missing with zeros. Owns the
 * descriptor; any thread; closed once, by none while another uses it.
 */
public final class UserFault implements AutoCloseable {
    /** What the process does. */
    public sealed interface Event {}

    /**
     * It waits for a page.
     *
     * @param address of the page
     */
    public record Fault(long address) implements Event {}

    /**
     * It has a child with the same pages missing.
     *
     * @param child the child's memory; the receiver's to close
     */
    public record Forked(UserFault child) implements Event {}

    /**
     * It moved a mapping (mremap(2)); where that has left its old place, it is followed by {@link
     * Removed} of that.
     *
     * @param bytes the length before
     */
    public record Moved(long from, long to, long bytes) implements Event {}

    /**
     * It emptied (madvise(2)) or unmapped a range: what was missing there is not wanted any more.
     */
    public record Removed(long start, long end) implements Event {}

    /**
     * A range was unmapped, also the old place of what was moved. Told when that is done: another
     * thread may have moved something there since.
     */
    public record Unmapped(long start, long end) implements Event {}

    /** Why no more was filled. */
    public enum Outcome {
        /** It was all. */
        DONE,
        /** A page is there already. */
        THERE,
        /** An event is to be read first; try again. */
        CHANGING,
        /** Nothing is mapped there, or not of what is registered. */
        UNMAPPED,
        /** No memory is left, perhaps for a while. */
        NO_MEMORY,
        /** The process has ended. */
        GONE
    }

    /**
     * What came of filling a range.
     *
     * @param bytes so many were filled, from the start; the outcome is that of the page behind
     */
    public record Filled(long bytes, Outcome outcome) {}

    // linux/userfaultfd.h
    private static final long WAKE = 0x8010aa02L;
    private static final long COPY = 0xc028aa03L;
    private static final long ZEROPAGE = 0xc020aa04L;
    private static final int EVENT_PAGEFAULT = 0x12;
    private static final int EVENT_FORK = 0x13;
    private static final int EVENT_REMAP = 0x14;
    private static final int EVENT_REMOVE = 0x15;
    private static final int EVENT_UNMAP = 0x16;

    /** struct uffd_msg: the event, then from 8 on what belongs to it. */
    private static final int MESSAGE_BYTES = 32;

    private static final int FIRST = 1;
    private static final int SECOND = 2;
    private static final int THIRD = 3;

    /** struct uffdio_copy, the longest; struct uffdio_zeropage is one number shorter. */
    private static final int ARGUMENT_BYTES = 40;

    private static final int COPIED = 4;
    private static final int ZEROED = 3;

    private static final long PAGE_BYTES = 4096;

    /** Below this, and as much below the end, a program has nothing. */
    private static final long FIRST_ADDRESS = 1L << 16;

    private static final long MOST_ADDRESSES = 1L << 56;
    private static final long FEWEST_ADDRESSES = 1L << 36;

    private final int fd;

    private UserFault(int fd) {
        this.fd = fd;
    }

    /** Takes over a descriptor. */
    public static UserFault of(int fd) {
        return new UserFault(fd);
    }

    /** The descriptor, which stays ours. */
    public int fd() {
        return fd;
    }

    /** The next event; empty if there is none now. */
    public Optional<Event> next() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment message = arena.allocate(MESSAGE_BYTES, Long.BYTES);
            long got;
            do {
                got = Syscalls.call(Syscalls.READ, fd, message.address(), MESSAGE_BYTES);
            } while (got == -Errno.EINTR);
            if (got == -Errno.EAGAIN) {
                return Optional.empty();
            }
            if (got != MESSAGE_BYTES) {
                throw new IOException(
                        "userfaultfd: " + (got < 0 ? Errno.text((int) -got) : "half a message"));
            }
            return Optional.of(event(message));
        }
    }

    private static Event event(MemorySegment message) throws IOException {
        int kind = message.get(ValueLayout.JAVA_BYTE, 0);
        long first = message.getAtIndex(ValueLayout.JAVA_LONG, FIRST);
        long second = message.getAtIndex(ValueLayout.JAVA_LONG, SECOND);
        return switch (kind) {
            case EVENT_PAGEFAULT -> new Fault(second & -PAGE_BYTES); // behind its flags
            case EVENT_FORK -> new Forked(of(message.get(ValueLayout.JAVA_INT, Long.BYTES)));
            case EVENT_REMAP ->
                    new Moved(first, second, message.getAtIndex(ValueLayout.JAVA_LONG, THIRD));
            case EVENT_REMOVE -> new Removed(first, second);
            case EVENT_UNMAP -> new Unmapped(first, second);
            default -> throw new IOException("userfaultfd: event " + kind);
        };
    }

    /**
     * Gives it pages and wakes who waits for them.
     *
     * @param address of a page
     * @param pages direct, whole pages; from position to limit, which are left as they were
     */
    public Filled copy(long address, ByteBuffer pages) throws IOException {
        if (!pages.isDirect()) {
            throw new IllegalArgumentException("the kernel needs a direct buffer");
        }
        long source = MemorySegment.ofBuffer(pages).address();
        return fill(
                address,
                pages.remaining(),
                (argument, done, bytes) -> {
                    argument.setAtIndex(ValueLayout.JAVA_LONG, 0, address + done);
                    argument.setAtIndex(ValueLayout.JAVA_LONG, 1, source + done);
                    argument.setAtIndex(ValueLayout.JAVA_LONG, 2, bytes);
                    return call(COPY, argument, COPIED);
                });
    }

    /** Gives it pages of zeros and wakes who waits for them. */
    public Filled zero(long address, long bytes) throws IOException {
        return fill(
                address,
                bytes,
                (argument, done, some) -> {
                    argument.setAtIndex(ValueLayout.JAVA_LONG, 0, address + done);
                    argument.setAtIndex(ValueLayout.JAVA_LONG, 1, some);
                    return call(ZEROPAGE, argument, ZEROED);
                });
    }

    private interface Step {
        /** Fills some bytes behind those that are done; so many, or a negated errno. */
        long fill(MemorySegment argument, long done, long bytes);
    }

    /**
     * The kernel fills what lies in one mapping, and refuses, as if nothing were mapped, a range
     * that is not all in it: then it is tried with less, down to a page. After a part it does not
     * say why it stopped: the next call does.
     */
    private static Filled fill(long address, long bytes, Step step) throws IOException {
        if (address % PAGE_BYTES != 0 || bytes % PAGE_BYTES != 0) {
            throw new IllegalArgumentException("no whole pages: %x+%x".formatted(address, bytes));
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(ARGUMENT_BYTES, Long.BYTES);
            long done = 0;
            long atOnce = bytes;
            while (done < bytes) {
                long result = step.fill(argument, done, Math.min(atOnce, bytes - done));
                if (result > 0) {
                    done += result;
                    continue;
                }
                Outcome outcome = outcome((int) -result);
                atOnce = Math.min(atOnce, bytes - done);
                if (outcome != Outcome.UNMAPPED || atOnce == PAGE_BYTES) {
                    return new Filled(done, outcome);
                }
                atOnce = atOnce / 2 / PAGE_BYTES * PAGE_BYTES;
            }
            return new Filled(done, Outcome.DONE);
        }
    }

    private long call(long command, MemorySegment argument, int filledAt) {
        argument.setAtIndex(ValueLayout.JAVA_LONG, filledAt - 1, 0); // mode
        argument.setAtIndex(ValueLayout.JAVA_LONG, filledAt, 0);
        long result = Syscalls.call(Syscalls.IOCTL, fd, command, argument.address());
        long filled = argument.getAtIndex(ValueLayout.JAVA_LONG, filledAt);
        return filled > 0 ? filled : result;
    }

    private static Outcome outcome(int errno) throws IOException {
        return switch (errno) {
            case Errno.EEXIST -> Outcome.THERE;
            case Errno.EAGAIN -> Outcome.CHANGING;
            case Errno.ENOENT, Errno.EINVAL -> Outcome.UNMAPPED;
            case Errno.ENOMEM -> Outcome.NO_MEMORY;
            case Errno.ESRCH, Errno.ENOSPC -> Outcome.GONE;
            default -> throw new IOException("userfaultfd: " + Errno.text(errno));
        };
    }

    /**
     * Lets those who wait for pages of a range touch them again: what is missing still is told as a
     * new fault.
     */
    public void wake(long address, long bytes) throws IOException {
        orFailed(tryWake(address, bytes));
    }

    /** The same of all addresses, of which a processor has more or fewer. */
    public void wakeAll() throws IOException {
        long end = MOST_ADDRESSES;
        long result = tryWake(FIRST_ADDRESS, end - 2 * FIRST_ADDRESS);
        while (result == -Errno.EINVAL && end > FEWEST_ADDRESSES) {
            end /= 2;
            result = tryWake(FIRST_ADDRESS, end - 2 * FIRST_ADDRESS);
        }
        orFailed(result);
    }

    private long tryWake(long address, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment range = arena.allocate(2L * Long.BYTES, Long.BYTES);
            range.setAtIndex(ValueLayout.JAVA_LONG, 0, address);
            range.setAtIndex(ValueLayout.JAVA_LONG, 1, bytes);
            return Syscalls.call(Syscalls.IOCTL, fd, WAKE, range.address());
        }
    }

    private static void orFailed(long result) throws IOException {
        if (result < 0) {
            throw new IOException("userfaultfd: " + Errno.text((int) -result));
        }
    }

    /**
     * Waits until one of them has an event (poll(2)).
     *
     * @param millis at most; for ever if negative
     * @return false if none has
     */
    public static boolean awaitAny(List<UserFault> all, int millis) throws IOException {
        return Poll.await(all.stream().mapToInt(UserFault::fd).toArray(), millis);
    }

    @Override
    public void close() {
        Syscalls.call(Syscalls.CLOSE, fd);
    }
}
