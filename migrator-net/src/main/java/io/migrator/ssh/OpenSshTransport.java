package io.migrator.ssh;

import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The site's own {@code ssh} client, one process for each program: it brings the site's ways to log
 * in (Kerberos, smart cards, host-based, a control master) and costs the same per byte as JSch.
 */
public final class OpenSshTransport implements Transport {

    /** ssh itself failed, as opposed to the program it was to run. */
    private static final int SSH_FAILED = 255;

    private final SshProgram program;
    private final Destination to;
    private final Duration limit;
    private final Queue<OpenSshProcess> started = new ConcurrentLinkedQueue<>();

    private OpenSshTransport(SshProgram program, Destination to, Duration limit) {
        this.program = program;
        this.to = to;
        this.limit = limit;
    }

    /** Runs {@code true} on the node, so that a refusal is seen now and in ssh's own words. */
    static OpenSshTransport connect(SshProgram program, Destination to, Duration limit)
            throws Problem, InterruptedException {
        Command.Result result;
        try {
            result =
                    Command.of(program.commandOn(to, List.of("true"), limit))
                            .run(limit.plusSeconds(5));
        } catch (Problem e) {
            throw Problem.refused("ssh cannot be used to reach " + to.host())
                    .because(e.getMessage())
                    .tryThis("see whether 'ssh -o BatchMode=yes " + to + " true' works")
                    .causedBy(e);
        }
        if (result.exit() == SSH_FAILED) {
            throw SshComplaint.refusal(to, result.err());
        }
        if (!result.ok()) {
            throw Refusal.noCommands(to, result.complaint());
        }
        return new OpenSshTransport(program, to, limit);
    }

    @Override
    public RemoteProcess start(List<String> command) throws Problem {
        try {
            OpenSshProcess process =
                    new OpenSshProcess(
                            new ProcessBuilder(program.commandOn(to, command, limit)).start());
            started.add(process);
            return process;
        } catch (IOException e) {
            throw Problem.failed("cannot start " + command.getFirst() + " on " + to.host())
                    .because(e.getMessage())
                    .causedBy(e);
        }
    }

    @Override
    public String description() {
        return "ssh";
    }

    @Override
    public void close() {
        started.forEach(OpenSshProcess::close);
    }
}
