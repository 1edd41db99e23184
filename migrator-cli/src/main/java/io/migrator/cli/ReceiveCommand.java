package io.migrator.cli;

import io.migrator.linux.StandardInput;
import io.migrator.migration.Leftover;
import io.migrator.problem.Problem;
import io.migrator.remote.Receiver;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.concurrent.Callable;

@Command(
        name = "receive",
        hidden = true,
        mixinStandardHelpOptions = true,
        description = "The far end of a migration; started by SSH, speaks frames (docs/wire.md).")
final class ReceiveCommand implements Callable<Integer> {
    @Option(
            names = "--discard",
            paramLabel = "ID",
            description = "Remove what a killed receiver of that migration left here.")
    private @Nullable String discard;

    @Override
    public Integer call() throws Problem, InterruptedException {
        if (discard != null) {
            Leftover.discard(discard);
            return 0;
        }
        StandardInput.enlarge();
        try (FileInputStream in = new FileInputStream(FileDescriptor.in);
                FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
            Receiver receiver =
                    new Receiver(
                            in.getChannel(),
                            out,
                            text -> System.err.println("migrator: warning: " + text));
            Interruption.calls(receiver::cancel);
            receiver.serve();
            return 0;
        } catch (IOException e) {
            throw Problem.failed("the migration ended before the job was handed over")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }
}
