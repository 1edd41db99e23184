package io.migrator.cli.bench;

import io.migrator.linux.Command;
import io.migrator.linux.CpuSeconds;
import io.migrator.problem.Problem;
import io.migrator.ssh.Destination;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/**
 * The baseline: {@code ssh NODE 'cat >/dev/null'}, written to through a FIFO, since Java's own pipe
 * to a child would copy every byte once more. Sends once.
 */
final class SshLane implements Lane {
    private static final String CIPHER = "aes128-gcm@openssh.com";

    /** The first line says that the far end is ready, the other two that it has read all. */
    private static final String FAR_END =
            "exec sh -c 'read -r a </proc/$PPID/stat; echo \"$a\"; cat >/dev/null;"
                    + " read -r a </proc/$PPID/stat; echo \"$a\"; read -r a </proc/$$/stat;"
                    + " echo \"$a\"'";

    private final Process ssh;
    private final FileChannel out;
    private final BufferedReader in;
    private final double sshdBefore;

    private SshLane(Process ssh, FileChannel out) throws IOException {
        this.ssh = ssh;
        this.out = out;
        this.in = ssh.inputReader();
        this.sshdBefore = CpuSeconds.of(line());
    }

    static SshLane open(Destination to) throws Problem, InterruptedException {
        Path fifo = null;
        try {
            fifo = Files.createTempDirectory("migrator-bench-").resolve("fifo");
            Command.of("mkfifo", "-m", "600", fifo.toString())
                    .run(Duration.ofSeconds(5))
                    .orFail("no FIFO");
            return open(to, fifo);
        } catch (IOException e) {
            throw Problem.failed("the ssh program does not reach " + to.host())
                    .because(e.getMessage())
                    .tryThis("see whether 'ssh " + to + " true' works")
                    .causedBy(e);
        } finally {
            if (fifo != null) {
                delete(fifo);
            }
        }
    }

    private static SshLane open(Destination to, Path fifo) throws IOException {
        // opened for both, since for one only it would wait for the other
        try (RandomAccessFile both = new RandomAccessFile(fifo.toFile(), "rw")) {
            Process ssh =
                    new ProcessBuilder(
                                    "ssh",
                                    "-c",
                                    CIPHER,
                                    "-o",
                                    "BatchMode=yes",
                                    "-T",
                                    "--",
                                    to.toString(),
                                    FAR_END)
                            .redirectInput(fifo.toFile())
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            FileChannel out = FileChannel.open(fifo, StandardOpenOption.WRITE);
            both.close(); // from here a dead ssh is seen as a broken pipe
            return new SshLane(ssh, out);
        }
    }

    private static void delete(Path fifo) {
        try {
            Files.deleteIfExists(fifo);
            Files.deleteIfExists(fifo.toAbsolutePath().getParent());
        } catch (IOException e) {
            // an empty directory in /tmp
        }
    }

    private String line() throws IOException {
        String line = in.readLine();
        if (line == null) {
            throw new IOException("ssh ended early");
        }
        return line;
    }

    @Override
    public double send(Path source, long bytes) throws IOException {
        RandomFile.read(source, bytes, (_, block) -> writeFully(block));
        out.close();
        double sshd = CpuSeconds.of(line()) - sshdBefore;
        return sshd + CpuSeconds.of(line());
    }

    private void writeFully(ByteBuffer block) throws IOException {
        while (block.hasRemaining()) {
            out.write(block);
        }
    }

    @Override
    public String description() {
        return "ssh -c " + CIPHER;
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            // ssh is ended in any case
        }
        ssh.destroy();
    }
}
