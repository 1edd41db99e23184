package io.migrator.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class CompressionGaugeTest {

    /** How many of so many blocks are tried if each shrinks to this many of 100 bytes. */
    private static int tries(Compression compression, int blocks, int storedPercent) {
        CompressionGauge gauge = new CompressionGauge(compression);
        int tries = 0;
        for (int i = 0; i < blocks; i++) {
            if (gauge.tryNext()) {
                tries++;
                gauge.worthSending(100, storedPercent);
            }
        }
        return tries;
    }

    @Test
    void autoKeepsTryingWhatShrinksAndNearlyStopsWithWhatDoesNot() {
        assertEquals(1000, tries(Compression.AUTO, 1000, 50));
        int wasted = tries(Compression.AUTO, 1000, 100);
        assertTrue(wasted > 10 && wasted < 25, () -> wasted + " tries");
    }

    @Test
    void lz4AlwaysTriesAndNoneNever() {
        assertEquals(1000, tries(Compression.LZ4, 1000, 100));
        assertEquals(0, tries(Compression.NONE, 1000, 10));
    }

    @Test
    void autoTriesEveryBlockAgainOnceOneShrank() {
        CompressionGauge gauge = new CompressionGauge(Compression.AUTO);
        gauge.worthSending(100, 100);
        gauge.worthSending(100, 100);
        while (!gauge.tryNext()) {
            // skipped
        }
        gauge.worthSending(100, 50);
        assertTrue(gauge.tryNext());
        assertTrue(gauge.tryNext());
    }

    @Test
    void aBlockIsSentCompressedIfThatSavesFivePercent() {
        CompressionGauge gauge = new CompressionGauge(Compression.LZ4);
        assertTrue(gauge.worthSending(1000, 950));
        assertFalse(gauge.worthSending(1000, 951));
        assertFalse(gauge.worthSending(1, 1));
        assertFalse(gauge.worthSending(1, 2));
    }
}
