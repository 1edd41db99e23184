package io.migrator.criu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Images of an earlier dump in which no process has any page. Where there are such a restore maps
 * all private memory in criu itself, before the restorer's own code moves it to its addresses
 * (criu/mem.c, {@code pieok}): that is where criufill.c can put the pages that it keeps.
 */
public final class EmptyParent {
    private static final String DIRECTORY = "parent";
    private static final int HEAD_BYTES = 12;
    private static final int PAGES_ID = 1;
    private static final int MOST_BYTES = 64;

    private EmptyParent() {}

    /** Makes them beside the images of a dump. */
    public static void make(Path images) throws IOException {
        Path parent = Files.createDirectory(images.resolve(DIRECTORY));
        try (DirectoryStream<Path> all = Files.newDirectoryStream(images, "pagemap-[0-9]*.img")) {
            for (Path each : all) {
                make(each, parent);
            }
        }
    }

    /** The head alone: two magic words, a length, and the number of the file that has the pages. */
    private static void make(Path pagemap, Path parent) throws IOException {
        ByteBuffer begin = ByteBuffer.allocate(HEAD_BYTES + MOST_BYTES);
        try (FileChannel in = FileChannel.open(pagemap, StandardOpenOption.READ)) {
            in.read(begin);
        }
        begin.flip().order(ByteOrder.LITTLE_ENDIAN);
        int length = begin.remaining() < HEAD_BYTES ? -1 : begin.getInt(HEAD_BYTES - Integer.BYTES);
        if (length < 0 || length > begin.remaining() - HEAD_BYTES) {
            throw new IOException(pagemap + " has no head");
        }
        byte[] head = new byte[length];
        begin.get(HEAD_BYTES, head);
        long pages =
                ProtoMessage.parse(head)
                        .number(PAGES_ID)
                        .orElseThrow(() -> new IOException(pagemap + " names no pages"));
        Path file = parent.resolve("pages-" + pages + ".img");
        if (!Files.exists(file)) {
            Files.createFile(file);
        }
        begin.limit(HEAD_BYTES + length);
        try (FileChannel out =
                FileChannel.open(
                        parent.resolve(pagemap.getFileName()),
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.WRITE)) {
            out.write(begin);
        }
    }
}
