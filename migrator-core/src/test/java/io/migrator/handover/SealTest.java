package io.migrator.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.linux.Proc;

import org.junit.jupiter.api.Test;

import java.util.List;

class SealTest {
    private static final int LOOKS = 500;

    /** A seal by signals: a cgroup of one's own is not to be had everywhere. */
    @Test
    void whatWasLetGoIsSeen() throws Exception {
        Process sleep = new ProcessBuilder("sleep", "60").start();
        try {
            Proc process = new Proc(sleep.pid());
            Seal.Member member = new Seal.Member(process.pid(), process.startTime(), false);
            try (Seal seal = Seal.of(new Seal.Note(null, List.of(member)), "m1")) {
                assertTrue(seal.isLifted());
                seal.set();
                for (int look = 0; look < LOOKS && process.state() != 'T'; look++) {
                    Thread.sleep(10);
                }
                assertEquals('T', process.state());
                assertFalse(seal.isLifted());
                seal.lift();
                for (int look = 0; look < LOOKS && process.state() == 'T'; look++) {
                    Thread.sleep(10);
                }
                assertTrue(seal.isLifted());
                seal.kill();
                sleep.waitFor();
                assertFalse(seal.isLifted(), "what is gone does not run");
            }
        } finally {
            sleep.destroyForcibly();
        }
    }
}
