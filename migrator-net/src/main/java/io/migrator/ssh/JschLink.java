package io.migrator.ssh;

import com.jcraft.jsch.ChannelDirectTCPIP;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.Proxy;
import com.jcraft.jsch.Session;
import com.jcraft.jsch.SocketFactory;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Objects;

/**
 * The bytes below one SSH session: a TCP connection, or a channel through the session of the hop
 * before it. Given to JSch as its "proxy", so that we own what there is to watch and to close.
 */
final class JschLink implements Proxy {

    private static final int CHANNEL_MILLIS = 10_000;

    private final @Nullable Session through;
    private final Duration limit;
    private @Nullable Socket socket;
    private @Nullable ChannelDirectTCPIP channel;
    private @Nullable InputStream in;
    private @Nullable OutputStream out;
    private @Nullable LinkWatch watch;

    /**
     * @param through the hop before, or null: straight from this node
     * @param limit for connecting
     */
    JschLink(@Nullable Session through, Duration limit) {
        this.through = through;
        this.limit = limit;
    }

    /** Called by JSch. */
    @Override
    public void connect(SocketFactory unused, String host, int port, int timeoutMillis)
            throws IOException, JSchException {
        InputStream raw = through == null ? dial(host, port) : channel(through, host, port);
        LinkWatch watch = new LinkWatch(this::close, LinkWatch.DEAD_AFTER);
        this.watch = watch;
        in = watch.watched(raw);
        out = watch.watched(Objects.requireNonNull(out));
    }

    private InputStream dial(String host, int port) throws IOException {
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            throw new UnknownHostException(host);
        }
        Socket socket = new Socket();
        this.socket = socket;
        socket.setTcpNoDelay(true);
        socket.connect(address, (int) limit.toMillis());
        out = socket.getOutputStream();
        return socket.getInputStream();
    }

    private InputStream channel(Session through, String host, int port)
            throws IOException, JSchException {
        ChannelDirectTCPIP channel = (ChannelDirectTCPIP) through.openChannel("direct-tcpip");
        this.channel = channel;
        channel.setHost(host);
        channel.setPort(port);
        BytePipe pipe = new BytePipe();
        channel.setOutputStream(pipe.source());
        out = channel.getOutputStream();
        channel.connect((int) Math.min(CHANNEL_MILLIS, limit.toMillis()));
        return pipe.sink();
    }

    /** Begins the keep-alive of the session that runs over this link. */
    void keepAlive(Session session) {
        LinkWatch watch = this.watch;
        if (watch != null) {
            watch.pingBy(session::sendKeepAliveMsg);
        }
    }

    /** Whether it was cut because nothing was heard. */
    boolean dead() {
        LinkWatch watch = this.watch;
        return watch != null && watch.dead();
    }

    @Override
    public @Nullable InputStream getInputStream() {
        return in;
    }

    @Override
    public @Nullable OutputStream getOutputStream() {
        return out;
    }

    @Override
    public @Nullable Socket getSocket() {
        return socket;
    }

    @Override
    public void close() {
        LinkWatch watch = this.watch;
        if (watch != null) {
            watch.close();
        }
        try {
            if (socket != null) {
                socket.close();
            }
        } catch (IOException _) {
            // given up in any case
        }
        if (channel != null) {
            channel.disconnect();
        }
    }
}
