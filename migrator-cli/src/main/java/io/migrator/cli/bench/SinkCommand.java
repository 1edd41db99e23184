package io.migrator.cli.bench;

import io.migrator.linux.CpuSeconds;
import io.migrator.linux.StandardInput;
import io.migrator.problem.Problem;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameReader;
import io.migrator.wire.FrameWriter;

import picocli.CommandLine.Command;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.concurrent.Callable;

/** Says that it is ready, then the processor seconds that each file took. */
@Command(
        name = "sink",
        hidden = true,
        description = "The far end of bench transport: reads frames and drops what is in them.")
final class SinkCommand implements Callable<Integer> {
    @Override
    public Integer call() throws Problem {
        StandardInput.enlarge(); // as the receiver does
        try (FileInputStream stdin = new FileInputStream(FileDescriptor.in);
                FileOutputStream stdout = new FileOutputStream(FileDescriptor.out)) {
            FrameReader in = new FrameReader(stdin.getChannel());
            FrameWriter out = new FrameWriter(stdout, Compression.NONE);
            out.write(Frame.Control.of("ready"));
            double before = cpuSeconds();
            Frame frame = in.next();
            while (!(frame instanceof Frame.End)) {
                if (frame instanceof Frame.FileEnd) {
                    double now = cpuSeconds();
                    out.write(Frame.Control.of(Double.toString(now - before)));
                    before = now;
                }
                frame = in.next();
            }
            return 0;
        } catch (IOException e) {
            throw Problem.failed("the stream broke").because(e.getMessage()).causedBy(e);
        }
    }

    private static double cpuSeconds() throws IOException {
        return CpuSeconds.ofThisProcess() + CpuSeconds.ofParent();
    }
}
