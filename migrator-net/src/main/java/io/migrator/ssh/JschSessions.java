package io.migrator.ssh;

import com.jcraft.jsch.HostKey;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.JSchAlgoNegoFailException;
import com.jcraft.jsch.JSchChangedHostKeyException;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.JSchRevokedHostKeyException;
import com.jcraft.jsch.JSchSessionDisconnectException;
import com.jcraft.jsch.JSchUnknownHostKeyException;
import com.jcraft.jsch.Session;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The logged-in sessions along one route, the destination's last. Closing ends them all. */
final class JschSessions implements AutoCloseable {

    /** Thrown where another client might get in: see {@link JschLogin.Unable}. */
    static final class UnableException extends Exception {
        private final Problem why;

        UnableException(Problem why) {
            super(why);
            this.why = why;
        }

        Problem why() {
            return why;
        }
    }

    private final JschRoute route;
    private final Duration limit;
    private final List<Session> sessions = new ArrayList<>();
    private final List<JschLink> links = new ArrayList<>();

    private JschSessions(JschRoute route, Duration limit) {
        this.route = route;
        this.limit = limit;
    }

    /** Logs in to each hop in turn. */
    static JschSessions open(JschRoute route, Duration limit) throws Problem, UnableException {
        JschSessions opened = new JschSessions(route, limit);
        boolean complete = false;
        try {
            for (SshSettings hop : route.hops()) {
                opened.logIn(hop);
            }
            complete = true;
            return opened;
        } finally {
            if (!complete) {
                opened.close();
            }
        }
    }

    /** The session with the destination. */
    Session last() {
        return sessions.getLast();
    }

    /** Whether a link on the way was cut because nothing was heard. */
    boolean linkDead() {
        return links.stream().anyMatch(JschLink::dead);
    }

    @Override
    public void close() {
        sessions.reversed().forEach(Session::disconnect);
        links.reversed().forEach(JschLink::close);
    }

    private void logIn(SshSettings hop) throws Problem, UnableException {
        JSch jsch = new JSch();
        jsch.setInstanceLogger(new JschLog());
        JschKeys keys = new JschKeys(hop);
        JschLink link = new JschLink(sessions.isEmpty() ? null : last(), limit);
        Session session = null;
        try {
            jsch.setKnownHosts(new ByteArrayInputStream(contents(hop.knownHosts())));
            session = jsch.getSession(hop.user(), hop.hostName(), hop.port());
            configure(session, hop);
            session.setIdentityRepository(keys);
            session.setProxy(link);
            links.add(link);
            session.connect((int) limit.toMillis());
            link.keepAlive(session);
            sessions.add(session);
        } catch (JSchException e) {
            link.close();
            HostKey shown = session == null ? null : session.getHostKey();
            throw refusal(e, hop, keys, fingerprint(shown, jsch));
        }
    }

    private static void configure(Session session, SshSettings hop) {
        session.setDaemonThread(true); // JSch's reader would keep the virtual machine alive
        session.setConfig("StrictHostKeyChecking", "yes");
        session.setConfig("PreferredAuthentications", "publickey");
        // JSch strikes out what it cannot do here: chacha20 needs a library we do not ship
        session.setConfig("cipher.c2s", SshProgram.CIPHERS);
        session.setConfig("cipher.s2c", SshProgram.CIPHERS);
        String alias = hop.hostKeyAlias();
        if (alias != null) {
            session.setHostKeyAlias(alias);
        }
    }

    private static byte[] contents(List<Path> files) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Path file : files) {
            try {
                all.writeBytes(Files.readAllBytes(file));
                all.write('\n');
            } catch (IOException _) {
                // most of the files that are looked for do not exist
            }
        }
        return all.toByteArray();
    }

    private static String fingerprint(@Nullable HostKey key, JSch jsch) {
        return key == null ? "none" : key.getType() + " " + key.getFingerPrint(jsch);
    }

    /** The hard refusals are returned, what another client may do better is thrown. */
    private Problem refusal(JSchException e, SshSettings hop, JschKeys keys, String fingerprint)
            throws UnableException {
        String host = hop == route.hops().getLast() ? route.to().host() : hop.hostName();
        String files =
                hop.knownHosts().stream().map(Path::toString).collect(Collectors.joining(", "));
        Problem problem =
                switch (e) {
                    case JSchUnknownHostKeyException _ ->
                            Refusal.unknownHostKey(
                                    host, "it shows " + fingerprint + ", which is not in " + files);
                    case JSchChangedHostKeyException _ ->
                            Refusal.changedHostKey(
                                    host,
                                    "it shows " + fingerprint + ", but another key is in " + files);
                    case JSchRevokedHostKeyException _ ->
                            Refusal.revokedHostKey(
                                    host, "it shows " + fingerprint + ", revoked in " + files);
                    case JSchAlgoNegoFailException _ ->
                            throw new UnableException(
                                    Refusal.noCommonAlgorithm(host, String.valueOf(e.getMessage()))
                                            .causedBy(e));
                    default -> otherRefusal(e, host, keys);
                };
        return problem.causedBy(e);
    }

    private Problem otherRefusal(JSchException e, String host, JschKeys keys)
            throws UnableException {
        String message = String.valueOf(e.getMessage());
        boolean authentication =
                message.startsWith("Auth ")
                        || message.startsWith("USERAUTH fail")
                        || (e instanceof JSchSessionDisconnectException
                                && message.contains("authentication"));
        if (authentication) {
            List<String> tried = new ArrayList<>(keys.notes());
            tried.add(message);
            throw new UnableException(Refusal.loginRefused(route.to(), tried).causedBy(e));
        }
        Throwable root = e;
        for (Throwable next = e.getCause(); next != null; next = next.getCause()) {
            root = next;
        }
        return root instanceof UnknownHostException
                ? Refusal.unknownNode(host, "its name cannot be resolved")
                : Refusal.unreachable(host, String.valueOf(root.getMessage()));
    }
}
