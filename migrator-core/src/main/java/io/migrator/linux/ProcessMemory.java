package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * The memory of another process, read and written by process_vm_readv(2) and process_vm_writev(2):
 * one copy in the kernel, no stop needed. Needs the right to trace it (ptrace(2)). Owns a little
 * native memory; one thread at a time.
 *
 * <p>Pages that the process shares with another since a fork process_vm_readv(2) copies for it
 * before it reads them (mm/gup.c, gup_must_unshare): the job gets as large as if it shared nothing,
 * and it takes 2.5 s for a GB. Not so /proc/PID/mem, which is read one range at a time.
 */
public final class ProcessMemory implements AutoCloseable {
    /** So many ranges of theirs are read at once (UIO_MAXIOV). */
    public static final int MOST_RANGES = 1024;

    private static final long IOVEC_BYTES = 16;

    /** Ranges as large as this on the average are not worth a call for many. */
    private static final long LARGE_BYTES = 64 << 10;

    private final Arena arena = Arena.ofShared();

    /** struct iovec: ours, then theirs. */
    private final MemorySegment vectors = arena.allocate((1 + MOST_RANGES) * IOVEC_BYTES, 8);

    /**
     * Fills a buffer from an address.
     *
     * @param pid as seen here
     * @param to direct; filled from position to limit, which are left as they were
     * @throws IOException if not all of it can be read
     */
    public void read(long pid, long address, ByteBuffer to) throws IOException {
        transfer("process_vm_readv", Syscalls.PROCESS_VM_READV, pid, address, to);
    }

    /**
     * Fills a buffer from several ranges, one behind the other; shared pages in small ones are
     * copied for the process.
     *
     * @param to direct; filled from position to limit, which are left as they were
     * @param ranges start and length of each, in all as long as the buffer
     * @throws IOException if not all of it can be read
     */
    public void read(long pid, List<long[]> ranges, ByteBuffer to) throws IOException {
        long length = to.remaining();
        if (length >= ranges.size() * LARGE_BYTES) {
            try {
                readShared(pid, ranges, to);
                return;
            } catch (FileSystemException e) {
                // the file may not be opened: what is shared does not stay so
            }
        }
        vector(0, MemorySegment.ofBuffer(to).address(), length);
        for (int each = 0; each < ranges.size(); each++) {
            vector((1 + each) * IOVEC_BYTES, ranges.get(each)[0], ranges.get(each)[1]);
        }
        long at = vectors.address();
        long got =
                Syscalls.call(
                        Syscalls.PROCESS_VM_READV, pid, at, 1, at + IOVEC_BYTES, ranges.size(), 0);
        if (got != length) {
            throw new IOException(
                    "process_vm_readv of process %d: %s"
                            .formatted(pid, got < 0 ? Errno.text((int) -got) : "not all is there"));
        }
    }

    /**
     * The same where many of the pages may be shared, which they stay.
     *
     * @param ranges start and length of each, in all as long as the buffer
     */
    public void readShared(long pid, List<long[]> ranges, ByteBuffer to) throws IOException {
        ByteBuffer rest = to.duplicate();
        try (FileChannel memory =
                FileChannel.open(new Proc(pid).file("mem"), StandardOpenOption.READ)) {
            for (long[] each : ranges) {
                int end = rest.position() + (int) each[1];
                rest.limit(end);
                while (rest.hasRemaining()) {
                    if (memory.read(rest, each[0] + each[1] - rest.remaining()) <= 0) {
                        throw new IOException("process " + pid + " has ended");
                    }
                }
            }
        }
    }

    /**
     * Writes a buffer to an address.
     *
     * @param pid as seen here
     * @param from direct; read from position to limit, which are left as they were
     * @throws IOException if not all of it can be written
     */
    public void write(long pid, long address, ByteBuffer from) throws IOException {
        transfer("process_vm_writev", Syscalls.PROCESS_VM_WRITEV, pid, address, from);
    }

    /**
     * Copies one direct buffer over another of this process in the way of {@link #write}.
     *
     * @param to as long as the other
     */
    public void writeHere(ByteBuffer to, ByteBuffer from) throws IOException {
        write(Proc.self().pid(), MemorySegment.ofBuffer(to).address(), from);
    }

    private void transfer(String name, long call, long pid, long address, ByteBuffer buffer)
            throws IOException {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("the kernel needs a direct buffer");
        }
        long length = buffer.remaining();
        long ours = MemorySegment.ofBuffer(buffer).address();
        long done = 0;
        while (done < length) {
            vector(0, ours + done, length - done);
            vector(IOVEC_BYTES, address + done, length - done);
            long at = vectors.address();
            long result = Syscalls.call(call, pid, at, 1, at + IOVEC_BYTES, 1, 0);
            if (result <= 0) {
                String why = result == 0 ? "nothing moved" : Errno.text((int) -result);
                throw new IOException(
                        "%s of process %d at %x: %s".formatted(name, pid, address + done, why));
            }
            done += result;
        }
    }

    private void vector(long offset, long base, long length) {
        vectors.set(ValueLayout.JAVA_LONG, offset, base);
        vectors.set(ValueLayout.JAVA_LONG, offset + Long.BYTES, length);
    }

    @Override
    public void close() {
        arena.close();
    }
}
