package io.migrator.ssh;

import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.JSchException;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** SSH in this process, by JSch: needs nothing on either node but the far node's sshd. */
public final class JschTransport implements Transport {

    private static final int CHANNEL_MILLIS = 10_000;

    private final Destination to;
    private final JschSessions sessions;

    private JschTransport(Destination to, JschSessions sessions) {
        this.to = to;
        this.sessions = sessions;
    }

    static JschLogin connect(JschRoute route, Duration limit) throws Problem {
        try {
            return new JschLogin.In(new JschTransport(route.to(), JschSessions.open(route, limit)));
        } catch (JschSessions.UnableException e) {
            return new JschLogin.Unable(e.why());
        }
    }

    @Override
    public RemoteProcess start(List<String> command) throws Problem {
        try {
            ChannelExec channel = (ChannelExec) sessions.last().openChannel("exec");
            channel.setCommand(ShellWords.line(command));
            JschProcess process = new JschProcess(channel, this::whyLost);
            channel.connect(CHANNEL_MILLIS);
            return process;
        } catch (JSchException | IOException e) {
            throw Problem.failed("cannot start " + command.getFirst() + " on " + to.host())
                    .because(whyLost())
                    .tryThis("see whether 'ssh " + to + " true' works")
                    .causedBy(e);
        }
    }

    /** In words, once something over this connection has failed. */
    private String whyLost() {
        return sessions.linkDead()
                ? "nothing was heard from %s for %d s"
                        .formatted(to.host(), LinkWatch.DEAD_AFTER.toSeconds())
                : "the connection to " + to.host() + " was closed, or it opens no channel";
    }

    @Override
    public String description() {
        return "jsch";
    }

    @Override
    public void close() {
        sessions.close();
    }
}
