package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Asynchronous write protection of another process's memory (userfaultfd(2) with
 * UFFD_FEATURE_WP_ASYNC, Linux 6.7): the kernel notes which pages are written and lets the process
 * go on, {@link PageScan} asks for them. The descriptor is made in the process, by its first
 * thread, which stands still for about a millisecond; it is ours then, and the process has none.
 *
 * <p>Needs the right to trace the process. The end of this JVM, or {@link #close}, ends the
 * protection and leaves nothing behind. Any thread.
 */
public final class WriteWatch implements AutoCloseable {
    private static final long CLOEXEC = 0x80000;
    private static final long NONBLOCK = 0x800;

    /** Without a privilege: faults of the kernel itself are none of ours. */
    private static final long USER_MODE_ONLY = 1;

    private static final long API_NUMBER = 0xaa;
    private static final long API = 0xc018aa3fL;
    private static final long REGISTER = 0xc020aa00L;
    private static final long WRITE_PROTECT = 0xc018aa06L;
    private static final long MODE_WP = 2;
    private static final long WP_ASYNC = 1 << 15;
    private static final long WP_UNPOPULATED = 1 << 13;
    private static final long WP_HUGETLBFS_SHMEM = 1 << 12;

    /** struct uffdio_register, the longest. */
    private static final int ARGUMENT_BYTES = 32;

    private final long fd;

    private WriteWatch(long fd) {
        this.fd = fd;
    }

    /**
     * Gets ready to watch a process; nothing is watched yet.
     *
     * @throws IOException if it cannot be done, such as where a seccomp filter forbids it; the
     *     process goes on as before
     */
    public static WriteWatch of(Proc process) throws IOException {
        boolean filtered = !process.status("Seccomp").orElse("0").equals("0");
        if (filtered && !User.isRoot()) {
            throw new IOException("a seccomp filter would see the calls made in it");
        }
        WriteWatch watch = new WriteWatch(descriptorOf(process.pid(), filtered));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(ARGUMENT_BYTES, Long.BYTES);
            argument.setAtIndex(ValueLayout.JAVA_LONG, 0, API_NUMBER);
            argument.setAtIndex(
                    ValueLayout.JAVA_LONG, 1, WP_ASYNC | WP_UNPOPULATED | WP_HUGETLBFS_SHMEM);
            long result = Syscalls.call(Syscalls.IOCTL, watch.fd, API, argument.address());
            if (result < 0) {
                watch.close();
                throw new IOException(
                        "this kernel has no asynchronous write protection: "
                                + Errno.text((int) -result));
            }
            return watch;
        }
    }

    /**
     * On a thread of its own, whose end lets the process go on, whatever it stood in: one that
     * waits for a device cannot be stopped. An interrupt waits until that is done.
     */
    private static long descriptorOf(long pid, boolean filtered) throws IOException {
        CompletableFuture<Long> found = new CompletableFuture<>();
        Runnable tracing =
                () -> {
                    try {
                        found.complete(descriptor(pid, filtered));
                    } catch (Throwable e) { // told to who waits
                        found.completeExceptionally(e);
                    }
                };
        Thread.ofPlatform().daemon().name("tracer").start(tracing);
        try {
            return found.join();
        } catch (CompletionException e) {
            Throwable cause = e.getCause();
            throw new IOException(cause == null ? e.toString() : cause.getMessage(), e);
        }
    }

    private static long descriptor(long pid, boolean filtered) throws IOException {
        try (PidFd held = PidFd.open(pid);
                Tracee tracee = Tracee.stop(pid, filtered)) {
            long there = tracee.call(Syscalls.USERFAULTFD, CLOEXEC | NONBLOCK | USER_MODE_ONLY);
            if (there < 0) {
                throw new IOException("userfaultfd in it: " + Errno.text((int) -there));
            }
            long here = Syscalls.call(Syscalls.PIDFD_GETFD, held.descriptor(), there, 0);
            tracee.call(Syscalls.CLOSE, there);
            if (here < 0) {
                throw new IOException("pidfd_getfd: " + Errno.text((int) -here));
            }
            return here;
        }
    }

    /**
     * Makes all mappings in a range ones that can be watched, in one step. One of which only a part
     * lies in it becomes two.
     *
     * @return false if there is none, or one of a kind that the kernel cannot watch, or that
     *     another userfaultfd watches
     */
    public boolean register(long start, long end) {
        return call(REGISTER, start, end, MODE_WP);
    }

    /**
     * Watches a registered range, which lies in one mapping. All its pages count as written until
     * the first scan that resets them; so those, too, that were watched elsewhere and kept the
     * kernel's mark when they were moved (mremap(2) before "mm: clear uffd-wp PTE/PMD state on
     * mremap()").
     *
     * @return false if it is not registered
     */
    public boolean clear(long start, long end) {
        for (long at = start; at < end; at = PageScan.pieceEnd(at, end)) {
            if (!call(WRITE_PROTECT, at, PageScan.pieceEnd(at, end), 0)) {
                return false;
            }
        }
        return true;
    }

    /** With struct uffdio_register, or uffdio_writeprotect, which has the same beginning. */
    private boolean call(long command, long start, long end, long mode) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(ARGUMENT_BYTES, Long.BYTES);
            argument.setAtIndex(ValueLayout.JAVA_LONG, 0, start);
            argument.setAtIndex(ValueLayout.JAVA_LONG, 1, end - start);
            argument.setAtIndex(ValueLayout.JAVA_LONG, 2, mode);
            return Syscalls.call(Syscalls.IOCTL, fd, command, argument.address()) == 0;
        }
    }

    /** Ends all of it; the kernel takes about 35 ms for a GB. */
    @Override
    public void close() {
        Syscalls.call(Syscalls.CLOSE, fd);
    }
}
