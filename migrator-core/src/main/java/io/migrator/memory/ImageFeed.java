package io.migrator.memory;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * Sends criu's images to the target. Page images, which criu only ever appends to, are followed
 * while the dump runs, so that most of the memory is over when it ends; all others go after it.
 *
 * <p>{@link #start} and {@link #finish} are called by one thread; between them a thread of the
 * feed's own reads and writes. Closing stops it wherever it is.
 */
public final class ImageFeed implements AutoCloseable {
    private static final int BLOCK_BYTES = 1 << 20;

    /** Most of a job's memory is in no image; criu needs the processor. */
    private static final long POLL_NANOS = 2_000_000;

    private final Path directory;
    private final JobSink sink;
    private final Map<String, Sending> files = new HashMap<>();
    private final ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
    private final Thread follower =
            Thread.ofPlatform().daemon().name("images").unstarted(this::follow);
    private volatile boolean complete;
    private @Nullable Exception failure;
    private long imageBytes;

    private static final class Sending {
        private final int id;
        private final FileChannel channel;
        private long sent;

        private Sending(int id, FileChannel channel) {
            this.id = id;
            this.channel = channel;
        }
    }

    /** A feed of the images that criu will write into the directory. */
    public ImageFeed(Path directory, JobSink sink) {
        this.directory = directory;
        this.sink = sink;
    }

    /** Begins to follow the page images. */
    public void start() {
        follower.start();
    }

    /** Says that all files are complete: what is left will be sent. */
    public void complete() {
        complete = true;
        LockSupport.unpark(follower);
    }

    /** Returns when all is sent. */
    public void finish() throws Problem, InterruptedException {
        follower.join();
        if (failure instanceof Problem problem) {
            throw problem;
        }
        if (failure != null) {
            throw Problem.failed("the images could not be sent")
                    .because(failure.toString())
                    .causedBy(failure);
        }
    }

    /** Sends one more file, after all others. */
    public void add(Path file) throws IOException, Problem, InterruptedException {
        send(file, true);
    }

    /** Bytes of images sent, before compression. */
    public long imageBytes() {
        return imageBytes;
    }

    private void follow() {
        try {
            while (!complete) {
                if (!sendPages(false)) {
                    LockSupport.parkNanos(POLL_NANOS);
                }
            }
            sendPages(true);
            sendOthers();
        } catch (IOException | Problem | RuntimeException e) {
            failure = e;
        } catch (InterruptedException e) {
            failure = Problem.failed("the images could not be sent").because("cancelled");
        }
    }

    /** Returns true if anything was sent. */
    private boolean sendPages(boolean toTheEnd) throws IOException, Problem, InterruptedException {
        boolean any = false;
        try (DirectoryStream<Path> pages = Files.newDirectoryStream(directory, "pages-*.img")) {
            for (Path file : pages) {
                any |= send(file, toTheEnd);
            }
        }
        return any;
    }

    private void sendOthers() throws IOException, Problem, InterruptedException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
            for (Path file : all) {
                String name = file.getFileName().toString();
                boolean wanted = isImage(name) || name.endsWith(".tar");
                boolean plain = Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
                if (wanted && plain && !files.containsKey(name)) {
                    send(file, true);
                }
            }
        }
    }

    /** Whether a file of that name is criu's, or the list of pages that belongs to it. */
    public static boolean isImage(String name) {
        return name.endsWith(".img") || name.equals(HiddenPages.FILE);
    }

    private boolean send(Path file, boolean toTheEnd)
            throws IOException, Problem, InterruptedException {
        Sending sending = files.get(file.getFileName().toString());
        if (sending == null) {
            sending = new Sending(files.size(), FileChannel.open(file, StandardOpenOption.READ));
            files.put(file.getFileName().toString(), sending);
            sink.open(sending.id, file.getFileName().toString());
        }
        long size = sending.channel.size();
        boolean any = false;
        while (size - sending.sent >= (toTheEnd ? 1 : BLOCK_BYTES)) {
            block.clear().limit((int) Math.min(BLOCK_BYTES, size - sending.sent));
            int got = sending.channel.read(block, sending.sent);
            if (got <= 0) {
                throw new IOException(file + " shrank while it was sent");
            }
            sink.data(sending.id, sending.sent, block.flip());
            sending.sent += got;
            imageBytes += got;
            any = true;
        }
        if (toTheEnd) {
            sink.end(sending.id, sending.sent);
            sending.channel.close();
        }
        return any;
    }

    @Override
    public void close() {
        complete = true;
        follower.interrupt();
        for (Sending sending : files.values()) {
            try {
                sending.channel.close();
            } catch (IOException e) {
                // read only: nothing is lost
            }
        }
    }
}
