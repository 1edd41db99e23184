package io.migrator.criu;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An image of criu that holds protobuf entries: two magic words, then each entry behind its length
 * (criu/protobuf.c). Entries with raw bytes between them (such as ghost files) are not for this.
 *
 * @param magic the two words
 */
record ImageFile(long magic, List<ProtoMessage> entries) {
    private static final int LENGTH_BYTES = 4;

    static ImageFile read(Path path) throws IOException {
        return parse(path.toString(), Files.readAllBytes(path));
    }

    /**
     * Reads an image that is in no file.
     *
     * @param path how it is called in messages
     */
    static ImageFile parse(String path, byte[] bytes) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (in.remaining() < Long.BYTES) {
            throw new IOException(path + " is too short for an image");
        }
        long magic = in.getLong();
        List<ProtoMessage> entries = new ArrayList<>();
        while (in.remaining() >= LENGTH_BYTES) {
            int length = in.getInt();
            if (length < 0 || length > in.remaining()) {
                throw new IOException(path + " is cut off at byte " + in.position());
            }
            byte[] entry = new byte[length];
            in.get(entry);
            entries.add(ProtoMessage.parse(entry));
        }
        if (in.hasRemaining()) {
            throw new IOException(path + " is cut off at byte " + in.position());
        }
        return new ImageFile(magic, entries);
    }

    /** What becomes of an entry: another in its place, or null to leave it. */
    @FunctionalInterface
    interface Change {
        @Nullable ProtoMessage of(ProtoMessage entry) throws IOException;
    }

    /**
     * Changes entries of a file; it is not written if none is changed.
     *
     * @return how many were
     */
    static int edit(Path path, Change change) throws IOException {
        ImageFile image = read(path);
        List<ProtoMessage> entries = new ArrayList<>();
        int changed = 0;
        for (ProtoMessage entry : image.entries) {
            ProtoMessage other = change.of(entry);
            entries.add(other == null ? entry : other);
            changed += other == null ? 0 : 1;
        }
        if (changed > 0) {
            new ImageFile(image.magic, entries).write(path);
        }
        return changed;
    }

    void write(Path path) throws IOException {
        List<byte[]> parts = entries.stream().map(ProtoMessage::toBytes).toList();
        int bytes = parts.stream().mapToInt(part -> LENGTH_BYTES + part.length).sum();
        ByteBuffer out = ByteBuffer.allocate(Long.BYTES + bytes).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(magic);
        parts.forEach(part -> out.putInt(part.length).put(part));
        Files.write(path, out.array());
    }
}
