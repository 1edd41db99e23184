package io.migrator.ssh;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Keeps the last 8 KiB written to it. Never blocks. */
final class Tail extends OutputStream {

    static final int KEPT_BYTES = 8 << 10;

    private final byte[] ring = new byte[KEPT_BYTES];
    private long written;

    @Override
    public synchronized void write(int b) {
        ring[(int) (written++ % KEPT_BYTES)] = (byte) b;
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
        for (int i = Math.max(0, length - KEPT_BYTES); i < length; i++) {
            write(bytes[offset + i]);
        }
    }

    /** What is kept, as text without blanks around it. */
    synchronized String text() {
        int kept = (int) Math.min(written, KEPT_BYTES);
        byte[] bytes = new byte[kept];
        for (int i = 0; i < kept; i++) {
            bytes[i] = ring[(int) ((written - kept + i) % KEPT_BYTES)];
        }
        return new String(bytes, StandardCharsets.UTF_8).strip();
    }
}
