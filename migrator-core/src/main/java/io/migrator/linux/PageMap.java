package io.migrator.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;

/**
 * What the kernel says of each page of another process (kernel doc admin-guide/mm/pagemap). Needs
 * the right to read the process's memory. Owns a descriptor and a buffer; one thread.
 */
public final class PageMap implements AutoCloseable {
    private static final int PAGE_SHIFT = 12;
    private static final int ENTRIES = 8192;
    private static final long PRESENT = 1L << 63;
    private static final long FILE_OR_SHARED = 1L << 61;

    /** No other process has it. */
    private static final long EXCLUSIVE = 1L << 56;

    private final FileChannel file;
    private final ByteBuffer entries =
            ByteBuffer.allocateDirect(ENTRIES * Long.BYTES).order(ByteOrder.nativeOrder());

    private PageMap(FileChannel file) {
        this.file = file;
    }

    /** Of a process; it is the process's memory of now, and not of what it may exec later. */
    public static PageMap of(Proc process) throws IOException {
        return new PageMap(FileChannel.open(process.file("pagemap"), StandardOpenOption.READ));
    }

    /** Takes pages, from the first byte of the first to the first behind the last. */
    @FunctionalInterface
    public interface Visitor {
        /** Neighbours may come as several. */
        void pages(long start, long end);
    }

    /** Tells of the private pages of a range that others have, too. */
    public void shared(long start, long end, Visitor visitor) throws IOException {
        long at = start >> PAGE_SHIFT;
        long behind = end >> PAGE_SHIFT;
        while (at < behind) {
            entries.clear().limit((int) Math.min(ENTRIES, behind - at) * Long.BYTES);
            int got = file.read(entries, at * Long.BYTES) / Long.BYTES;
            if (got <= 0) {
                throw new IOException("the process has ended");
            }
            shared(at, got, visitor);
            at += got;
        }
    }

    private void shared(long first, int count, Visitor visitor) {
        int from = 0;
        for (int each = 0; each <= count; each++) {
            boolean isShared =
                    each < count
                            && (entries.getLong(each * Long.BYTES)
                                            & (PRESENT | FILE_OR_SHARED | EXCLUSIVE))
                                    == PRESENT;
            if (!isShared) {
                if (from < each) {
                    visitor.pages(first + from << PAGE_SHIFT, first + each << PAGE_SHIFT);
                }
                from = each + 1;
            }
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
