package io.migrator.network;

import io.migrator.linux.NetfilterSocket;
import io.migrator.problem.Problem;

import java.io.IOException;

/**
 * A change of a {@link NetworkLock} for which everything is ready: no program runs when it is made.
 * One thread; owns a socket.
 */
final class TableChange implements AutoCloseable {
    private final NetfilterSocket socket;
    private final byte[] batch;
    private final int last;

    private TableChange(NetfilterSocket socket, NftBatch changes) {
        this.socket = socket;
        this.batch = changes.bytes();
        this.last = changes.last();
    }

    static TableChange of(NetSpace space, NftBatch changes) throws Problem {
        try {
            return new TableChange(NetfilterSocket.open(space.process()), changes);
        } catch (IOException e) {
            throw Problem.failed("nftables cannot be used").because(e.getMessage());
        }
    }

    /** Makes it; returns when it is in force. */
    void make(String what) throws Problem {
        try {
            if (last > 0) {
                socket.commit(batch, last);
            }
        } catch (IOException e) {
            throw Problem.failed(what).because(e.getMessage());
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
