package io.migrator.migration;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/** Criu's image files as they arrive in a spool. One thread. */
final class ImageFiles implements AutoCloseable {
    private final Path directory;
    private final Map<Integer, FileChannel> open = new HashMap<>();
    private final Map<Integer, String> names = new HashMap<>();
    private long bytes;

    ImageFiles(Path directory) {
        this.directory = directory;
    }

    void open(int id, String name) throws Problem {
        try {
            names.put(id, name);
            open.put(
                    id,
                    FileChannel.open(
                            directory.resolve(name),
                            StandardOpenOption.CREATE_NEW,
                            StandardOpenOption.WRITE));
        } catch (IOException e) {
            throw noRoom(e);
        }
    }

    void data(int id, long offset, ByteBuffer data) throws Problem {
        FileChannel file = open.get(id);
        if (file == null) {
            throw Problem.failed("the source sent bytes of a file that is not open");
        }
        try {
            bytes += data.remaining();
            long at = offset;
            while (data.hasRemaining()) {
                at += file.write(data, at);
            }
        } catch (IOException e) {
            throw noRoom(e);
        }
    }

    void end(int id, long length) throws Problem {
        try (FileChannel file = open.remove(id)) {
            if (file == null || file.size() != length) {
                throw Problem.failed("image " + names.get(id) + " did not arrive whole");
            }
        } catch (IOException e) {
            throw noRoom(e);
        }
    }

    /** Fails if one has not ended. */
    void orOpen() throws Problem {
        if (!open.isEmpty()) {
            throw Problem.failed("an image did not arrive whole")
                    .because(String.valueOf(names.get(open.keySet().iterator().next())));
        }
    }

    private static Problem noRoom(IOException e) {
        return Problem.failed("the images could not be stored on the target")
                .because(e.getMessage())
                .tryThis("see that /dev/shm there has room for them")
                .causedBy(e);
    }

    /** Bytes that arrived. */
    long bytes() {
        return bytes;
    }

    @Override
    public void close() throws IOException {
        for (FileChannel file : open.values()) {
            file.close();
        }
    }
}
