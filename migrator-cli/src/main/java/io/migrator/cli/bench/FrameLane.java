package io.migrator.cli.bench;

import io.migrator.memory.WarmUp;
import io.migrator.problem.Problem;
import io.migrator.ssh.Destination;
import io.migrator.ssh.Dialer;
import io.migrator.ssh.RemoteProcess;
import io.migrator.ssh.Transport;
import io.migrator.ssh.TransportChoice;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameReader;
import io.migrator.wire.FrameWriter;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Frames over our own transport to a {@link SinkCommand}, as a migration sends its images. */
final class FrameLane implements Lane {
    private static final Duration CONNECT = Duration.ofSeconds(10);

    private final Transport transport;
    private final RemoteProcess process;
    private final FrameWriter out;
    private final FrameReader in;
    private int files;

    private FrameLane(Transport transport, RemoteProcess process) throws IOException {
        this.transport = transport;
        this.process = process;
        this.out = new FrameWriter(process.stdin(), Compression.NONE);
        this.in = new FrameReader(process.stdout());
        reply();
    }

    static FrameLane open(Destination to, TransportChoice choice, String program)
            throws Problem, InterruptedException {
        Transport transport = new Dialer().connect(to, choice, CONNECT);
        try {
            RemoteProcess process = transport.start(List.of(program, "bench", "sink"));
            try {
                return new FrameLane(transport, process);
            } catch (IOException e) {
                process.waitFor(Duration.ofSeconds(1));
                throw Problem.failed("migrator bench sink did not start on " + to.host())
                        .because(e.getMessage() + "; " + process.stderrTail())
                        .tryThis("see that migrator is in the PATH there, of the same version")
                        .causedBy(e);
            }
        } catch (Problem e) {
            transport.close();
            throw e;
        }
    }

    /** Does what a migration does before the job stands still, and waits until the far end has. */
    void warmUp() throws Problem, IOException, InterruptedException {
        WarmUp.of(this::padding, WarmUp.WHOLE);
        out.write(new Frame.FileOpen(files, "nothing"));
        out.write(new Frame.FileEnd(files++, 0));
        reply();
    }

    @Override
    public double send(Path source, long bytes) throws IOException {
        int id = files++;
        out.write(new Frame.FileOpen(id, "random"));
        RandomFile.read(source, bytes, (at, block) -> out.write(new Frame.FileData(id, at, block)));
        out.write(new Frame.FileEnd(id, bytes));
        return Double.parseDouble(reply());
    }

    private String reply() throws IOException {
        out.flush();
        if (in.next() instanceof Frame.Control control) {
            return control.text();
        }
        throw new IOException("the far end answers with the wrong frame");
    }

    private void padding(ByteBuffer bytes) throws Problem {
        try {
            out.write(new Frame.Padding(bytes));
        } catch (IOException e) {
            throw Problem.failed("the stream broke").because(e.getMessage()).causedBy(e);
        }
    }

    @Override
    public String description() {
        return transport.description();
    }

    @Override
    public void close() {
        process.close();
        transport.close();
    }
}
