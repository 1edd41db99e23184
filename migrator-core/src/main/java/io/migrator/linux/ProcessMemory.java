package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The memory of another process, read and written by process_vm_readv(2) and process_vm_writev(2):
 * one copy in the kernel, no stop needed. Needs the right to trace it (ptrace(2)). Owns a little
 * native memory; one thread.
 */
public final class ProcessMemory implements AutoCloseable {
    /** So many ranges of theirs are read at once (UIO_MAXIOV). */
    public static final int MOST_RANGES = 1024;

    private static final long IOVEC_BYTES = 16;

    private final Arena arena = Arena.ofConfined();

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
     * Fills a buffer from several ranges, one behind the other.
     *
     * @param to direct; filled from position to limit, which are left as they were
     * @param ranges start and length of each, in all as long as the buffer
     * @throws IOException if not all of it can be read
     */
    public void read(long pid, List<long[]> ranges, ByteBuffer to) throws IOException {
        long length = to.remaining();
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
