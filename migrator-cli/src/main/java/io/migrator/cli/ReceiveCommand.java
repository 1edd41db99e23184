package io.migrator.cli;

import io.migrator.handover.Token;
import io.migrator.linux.StandardInput;
import io.migrator.migration.FarNode;
import io.migrator.migration.TargetSide;
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
            names = "--status",
            paramLabel = "ID",
            description = "Say what this node knows of a migration.")
    private @Nullable String status;

    @Option(
            names = "--refuse",
            paramLabel = "ID",
            description = "Give a migration up unless its job was let go here, and say which.")
    private @Nullable String refuse;

    @Option(
            names = "--done",
            paramLabel = "ID",
            description = "Forget a migration: its source has decided.")
    private @Nullable String done;

    @Option(names = "--token", paramLabel = "TOKEN", description = "Of that migration.")
    private String token = "";

    @Override
    public Integer call() throws Problem, InterruptedException {
        TargetSide here = new TargetSide(ReceiveCommand::warn);
        if (status != null) {
            say(here.status(status, token()));
        } else if (refuse != null) {
            say(here.refuse(refuse, token()));
        } else if (done != null) {
            here.done(done, token());
            say(here.status(done, token()));
        } else {
            receive();
        }
        return 0;
    }

    private Token token() throws Problem {
        try {
            return new Token(token);
        } catch (IllegalArgumentException e) {
            throw Problem.usage("--token is missing or not a token");
        }
    }

    private static void say(FarNode.Answer answer) {
        Terminal.out(Json.text(answer));
    }

    private static void warn(String text) {
        Terminal.err("migrator: warning: " + text);
    }

    private static void receive() throws Problem, InterruptedException {
        StandardInput.enlarge();
        try (FileInputStream in = new FileInputStream(FileDescriptor.in)) {
            Receiver receiver = new Receiver(in.getChannel(), new Answers(), ReceiveCommand::warn);
            Interruption.calls(receiver::cancel);
            receiver.serve();
        } catch (IOException e) {
            throw Problem.failed("the migration ended before the job was handed over")
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    /** Standard output. sshd keeps its end from the source until standard error has ended, too. */
    private static final class Answers extends FileOutputStream {
        Answers() {
            super(FileDescriptor.out);
        }

        @Override
        public void close() throws IOException {
            super.close();
            System.err.close();
        }
    }
}
