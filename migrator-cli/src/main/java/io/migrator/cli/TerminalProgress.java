package io.migrator.cli;

import io.migrator.memory.Round;
import io.migrator.migration.Progress;
import io.migrator.migration.Stage;

import java.util.HashSet;
import java.util.Set;

/**
 * Progress on standard error: one line that is written over on a terminal, warnings only elsewhere.
 */
final class TerminalProgress implements Progress, AutoCloseable {
    private static final long INTERVAL_NANOS = 100_000_000;
    private static final double MEGA = 1e6;

    private final boolean terminal = System.console() != null && System.console().isTerminal();
    private long lastNanos = System.nanoTime() - INTERVAL_NANOS;
    private boolean lineOpen;

    /** What may come again and again is told once. */
    private final Set<String> warned = new HashSet<>();

    @Override
    public synchronized void stage(Stage stage) {
        show(stage.text());
    }

    @Override
    public synchronized void sent(long sentBytes, long totalBytes) {
        if (terminal && System.nanoTime() - lastNanos >= INTERVAL_NANOS) {
            lastNanos = System.nanoTime();
            show("sent %.0f of about %.0f MB".formatted(sentBytes / MEGA, totalBytes / MEGA));
        }
    }

    @Override
    public synchronized void round(int number, Round round) {
        show(
                "round %d: %.0f MB in %.0f ms"
                        .formatted(number, round.bytes() / MEGA, round.millis()));
    }

    @Override
    public synchronized void chosen(String text) {
        close();
        Terminal.err("migrator: " + text);
    }

    @Override
    public synchronized void warning(String text) {
        if (warned.add(text)) {
            close();
            Terminal.err("migrator: warning: " + text);
        }
    }

    private void show(String text) {
        if (terminal) {
            Terminal.over("migrator: " + text);
            lineOpen = true;
        }
    }

    /** Clears the line. */
    @Override
    public synchronized void close() {
        if (lineOpen) {
            Terminal.over("");
            lineOpen = false;
        }
    }
}
