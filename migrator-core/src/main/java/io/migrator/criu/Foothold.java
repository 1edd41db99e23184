package io.migrator.criu;

import io.migrator.instance.Instance;
import io.migrator.instance.Logs;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Clocks;
import io.migrator.linux.NativeParts;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The small C program that joins an instance's namespaces, starts criu there and relays its
 * messages (src/main/native/foothold.c has the reasons and the packet format). Owns the process;
 * closing it closes criu's socket, on which criu aborts what it holds. Used by one thread.
 */
final class Foothold implements AutoCloseable {
    /** What the foothold says. */
    sealed interface Packet {}

    /** criu runs, with this pid as seen here. */
    record Started(long criuPid) implements Packet {}

    /** A message of criu. */
    record Message(byte[] bytes) implements Packet {}

    /** criu ended, with this wait status (wait(2)), or the foothold did. */
    record Ended(int waitStatus) implements Packet {}

    /** Descriptors of criu that the instance's log files have (foothold.c). */
    static final int OUT_FD = 10;

    static final int ERR_FD = 11;

    private static final int MESSAGE_MAX = 256 * 1024;
    private static final int HEAD_BYTES = 8;
    private static final int FAILED = 125 << 8;
    private static final byte SIGKILL = 9;

    /** Longer than the foothold lets criu take to abort (GRACE_MS in foothold.c). */
    private static final Duration GRACE = Duration.ofSeconds(12);

    private final Process process;
    private final OutputStream toCriu;
    private final BlockingQueue<Packet> packets = new LinkedBlockingQueue<>();
    private final CompletableFuture<String> complaints;

    private Foothold(Process process) {
        this.process = process;
        this.toCriu = process.getOutputStream();
        this.complaints =
                CompletableFuture.supplyAsync(
                        () -> {
                            try {
                                return new String(
                                        process.getErrorStream().readNBytes(8192),
                                        StandardCharsets.UTF_8);
                            } catch (IOException e) {
                                return "";
                            }
                        },
                        task -> Thread.ofVirtual().start(task));
        Thread.ofPlatform().daemon().name("foothold").start(this::read);
    }

    /**
     * Starts criu inside the instance for a dump, with criushim.so.
     *
     * @param images directory of mode 0700, descriptor 7 of criu
     */
    static Foothold forDump(Instance instance, ProcessTree tree, CriuBundle bundle, Path images)
            throws Problem {
        List<String> more = new ArrayList<>(List.of("-d"));
        if (instance.mode() == Instance.Mode.SETUID) {
            more.addAll(List.of("-x", Long.toString(RootEntry.dumpCapabilities(tree))));
            long root = tree.roots().getFirst().process().pid();
            more.addAll(List.of("-n", Long.toString(root)));
        }
        return start(instance, bundle, images, more);
    }

    /** The same for a restore; its helpers keep off the pids to be restored. */
    static Foothold forRestore(CriuSession.Restoring what) throws Problem {
        List<String> more = new ArrayList<>(List.of("-l", Integer.toString(what.lastPid())));
        if (!User.isRoot()) {
            Clocks ahead = what.ahead();
            more.addAll(List.of("-c", ahead.monotonicNanos() + "," + ahead.boottimeNanos()));
        }
        for (Logs.Held log : what.held()) {
            more.addAll(
                    log.errors()
                            ? List.of("-e", what.logs().err().toString())
                            : List.of("-o", what.logs().out().toString()));
        }
        return start(what.instance(), what.bundle(), what.images(), more);
    }

    private static Foothold start(
            Instance instance, CriuBundle bundle, Path images, List<String> more) throws Problem {
        boolean byRoot = instance.mode() == Instance.Mode.SETUID;
        List<String> argv =
                new ArrayList<>(
                        byRoot
                                ? RootEntry.words()
                                : List.of(NativeParts.path("foothold").toString()));
        argv.addAll(
                List.of(
                        "-t",
                        Long.toString(instance.appinit()),
                        "-s",
                        Long.toString(instance.startTime()),
                        "-i",
                        images.toString(),
                        "-b",
                        bundle.directory().toString()));
        argv.addAll(more);
        ProcessBuilder builder = new ProcessBuilder(argv);
        builder.environment().remove("SUDO_UID"); // root is who he is, whoever he was before
        try {
            return new Foothold(builder.start());
        } catch (IOException e) {
            throw Problem.failed("could not start the foothold")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    /** Sends a message to criu. If criu is gone the next packet tells it. */
    void send(byte[] message) {
        send('M', message);
    }

    /** Kills criu at once. */
    void kill() {
        send('K', new byte[] {SIGKILL});
    }

    private void send(char kind, byte[] bytes) {
        send(packet(kind, bytes.length).put(bytes));
    }

    private static ByteBuffer packet(char kind, int length) {
        ByteBuffer packet = ByteBuffer.allocate(HEAD_BYTES + length).order(ByteOrder.LITTLE_ENDIAN);
        return packet.putInt(kind).putInt(length);
    }

    private void send(ByteBuffer packet) {
        try {
            toCriu.write(packet.array());
            toCriu.flush();
        } catch (IOException e) {
            // the reader sees the end of the foothold and queues it as Ended
        }
    }

    /** The next packet; {@link Ended} for ever once it came; null when the time is up. */
    @Nullable Packet next(Duration deadline) throws InterruptedException {
        Packet packet = packets.poll(deadline.toNanos(), TimeUnit.NANOSECONDS);
        if (packet instanceof Ended) {
            packets.add(packet);
        }
        return packet;
    }

    /** What the foothold and criu's loader printed, once both have ended. */
    String complaint() {
        return complaints.getNow("").strip().replace('\n', ';');
    }

    private void read() {
        try (DataInputStream in = new DataInputStream(process.getInputStream())) {
            while (true) {
                int kind = Integer.reverseBytes(in.readInt());
                int length = Integer.reverseBytes(in.readInt());
                if (length < 0 || length > MESSAGE_MAX) {
                    throw new IOException("packet of " + length + " bytes");
                }
                byte[] bytes = in.readNBytes(length);
                switch (kind) {
                    case 'P' -> packets.add(new Started(word(bytes)));
                    case 'M' -> packets.add(new Message(bytes));
                    case 'X' -> {
                        packets.add(new Ended(word(bytes)));
                        return; // the end of file behind it is not another end
                    }
                    default -> throw new IOException("packet of kind " + kind);
                }
            }
        } catch (EOFException e) {
            packets.add(new Ended(FAILED));
        } catch (IOException e) {
            process.destroyForcibly();
            packets.add(new Ended(FAILED));
        }
    }

    private static int word(byte[] bytes) throws EOFException {
        if (bytes.length != Integer.BYTES) {
            throw new EOFException("short packet");
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }

    /** Closes criu's socket and waits until criu and the foothold have ended. */
    @Override
    public void close() {
        boolean interrupted = Thread.interrupted();
        try {
            toCriu.close();
            if (!process.waitFor(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException | InterruptedException e) {
            process.destroyForcibly();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
