package io.migrator.ssh;

import io.migrator.problem.Problem;

import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;

/** Connects to nodes. Immutable; for any number of threads and connections. */
public final class Dialer {

    private final SshProgram program;

    /** A dialer that uses the {@code ssh} found in PATH, for its client and its configuration. */
    public Dialer() {
        this(List.of());
    }

    /** A dialer whose {@code ssh} gets these options before all others, such as {@code -F FILE}. */
    public Dialer(List<String> sshOptions) {
        this.program = new SshProgram("ssh", sshOptions);
    }

    /**
     * Connects and logs in; each call makes a connection of its own.
     *
     * @param limit for connecting, key exchange and login, in each hop
     * @throws Problem a refusal that says what to do: nothing was started
     */
    public Transport connect(Destination to, TransportChoice choice, Duration limit)
            throws Problem, InterruptedException {
        if (choice == TransportChoice.SSH) {
            return OpenSshTransport.connect(program, to, limit);
        }
        return switch (jsch(to, limit)) {
            case JschLogin.In(JschTransport transport) -> transport;
            case JschLogin.Unable(Problem why) when choice == TransportChoice.JSCH -> throw why;
            case JschLogin.Unable(Problem why) -> viaSsh(to, limit, why);
        };
    }

    private JschLogin jsch(Destination to, Duration limit) throws Problem, InterruptedException {
        CipherWarmUp.begin();
        JschRoute route = JschRoute.find(to, program::settingsOf);
        return route.obstacles().isEmpty()
                ? JschTransport.connect(route, limit)
                : new JschLogin.Unable(Refusal.cannotFollow(to, route.obstacles()));
    }

    /** The site's client knows ways in that JSch does not: Kerberos, smart cards, masters. */
    private Transport viaSsh(Destination to, Duration limit, Problem jschSays)
            throws Problem, InterruptedException {
        try {
            return OpenSshTransport.connect(program, to, limit);
        } catch (Problem sshSays) {
            sshSays.because(sshSays.because() + "; jsch before it: " + jschSays.getMessage());
            throw sshSays;
        }
    }

    /** How the settings of one node are found. */
    @FunctionalInterface
    interface Lookup {
        SshSettings settingsOf(Destination to, OptionalInt port)
                throws Problem, InterruptedException;
    }
}
