package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

@Timeout(30)
class NewSessionTest {
    private static final int SESSION = 6;
    private static final int GROUP = 5;

    /** With -m the program leads a process group, which may not call setsid(2). */
    @ParameterizedTest
    @ValueSource(strings = {"-c", "-mc"})
    void leadsAndGoesOnWhereItWas(String options) throws Exception {
        long begin = System.nanoTime();
        Process shell =
                new ProcessBuilder("bash", options, "sleep 1.5 & echo $!; wait $!; echo ended $?")
                        .start();
        BufferedReader out = shell.inputReader();
        Proc sleep = new Proc(Long.parseLong(out.readLine()));
        Thread.sleep(300); // until it sleeps
        NewSession.lead(sleep);
        assertEquals(String.valueOf(sleep.pid()), sleep.stat(SESSION));
        assertEquals(String.valueOf(sleep.pid()), sleep.stat(GROUP));
        assertEquals("0", sleep.status("TracerPid").orElseThrow());
        assertEquals("ended 0", out.readLine());
        double seconds = (System.nanoTime() - begin) / 1e9;
        assertTrue(seconds > 1.4, "it slept " + seconds + " s");
        assertTrue(shell.waitFor(5, TimeUnit.SECONDS));
    }

    @Test
    void ofAProcessThatIsGoneItFails() throws Exception {
        Process ended = new ProcessBuilder("true").start();
        ended.waitFor();
        assertThrows(IOException.class, () -> NewSession.lead(new Proc(ended.pid())));
    }
}
