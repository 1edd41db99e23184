package io.migrator.network;

import io.migrator.linux.NetfilterSocket;
import io.migrator.linux.ReadyCommand;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.time.Duration;

/**
 * A change of a {@link NetworkLock} for which everything is ready: no program is started when it is
 * made. One thread; owns a socket, or a program that waits.
 */
final class TableChange implements AutoCloseable {
    private static final Duration TOOL = Duration.ofSeconds(10);

    private final @Nullable NetfilterSocket socket;
    private final byte[] batch;
    private final int last;
    private final @Nullable ReadyCommand program;
    private final String text;

    private TableChange(
            @Nullable NetfilterSocket socket,
            NftBatch changes,
            @Nullable ReadyCommand program,
            String text) {
        this.socket = socket;
        this.batch = changes.bytes();
        this.last = changes.last();
        this.program = program;
        this.text = text;
    }

    /**
     * One that is not made yet.
     *
     * @param text the same for nft(8): a process of several threads, as this is, cannot enter a
     *     user namespace, without which an ordinary user has no rights in the network one
     */
    static TableChange of(NetSpace space, NftBatch changes, String text) throws Problem {
        if (space.ofUser()) {
            boolean none = text.isEmpty();
            return new TableChange(
                    null, changes, none ? null : space.ready("nft", "-f", "-"), text);
        }
        try {
            return new TableChange(NetfilterSocket.open(space.process()), changes, null, text);
        } catch (IOException e) {
            throw Problem.failed("nftables cannot be used").because(e.getMessage());
        }
    }

    /** Makes it; returns when it is in force. */
    void make(String what) throws Problem, InterruptedException {
        if (program != null) {
            program.tell(text);
            program.orFail(what, TOOL);
        }
        try {
            if (socket != null && last > 0) {
                socket.commit(batch, last);
            }
        } catch (IOException e) {
            throw Problem.failed(what).because(e.getMessage());
        }
    }

    @Override
    public void close() {
        if (socket != null) {
            socket.close();
        }
        if (program != null) {
            program.close();
        }
    }
}
