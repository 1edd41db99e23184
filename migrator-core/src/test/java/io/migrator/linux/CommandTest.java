package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.time.Duration;

class CommandTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    /** Ends itself by a signal, but the third time. */
    private static final String HIT =
            "echo x >>runs; [ $(wc -l <runs) -ge 3 ] || kill -s \"$0\" $$; echo \"$(wc -l <runs)\"";

    @TempDir private Path directory;

    /** Whoever runs the tests may ignore the signal, as nohup(1) does. */
    private static Command hitting(String signal) {
        return Command.of("env", "--default-signal=" + signal, "sh", "-c", HIT, signal);
    }

    private String hit(Command command) throws Exception {
        Command.Result result = command.in(directory).run(LIMIT);
        return result.exit() + " " + result.out().strip();
    }

    @Test
    void whatATerminalEndedBeforeItWasApartIsStartedAgain() throws Exception {
        assertEquals("0 3", hit(hitting("INT").apart()));
    }

    @Test
    void soItIsWhenTheTerminalIsClosed() throws Exception {
        assertEquals("0 3", hit(hitting("HUP").apart()));
    }

    @Test
    void noOtherSignalIsTakenForThat() throws Exception {
        assertEquals("143 ", hit(hitting("TERM").apart()));
    }

    @Test
    void whatIsNotApartIsNotStartedAgain() throws Exception {
        assertEquals("130 ", hit(hitting("INT")));
    }

    @Test
    void itReadsWhatItIsGiven() throws Exception {
        String text = "all of it\n".repeat(100_000);
        Command.Result result = Command.of("sha256sum").reading(text).run(LIMIT);
        Command.Result same =
                Command.of("sh", "-c", "yes 'all of it' | head -n 100000 | sha256sum").run(LIMIT);
        assertEquals(same.out(), result.out());
    }

    @Test
    void itNeedNotReadIt() throws Exception {
        assertEquals(0, Command.of("true").reading("x".repeat(1 << 20)).run(LIMIT).exit());
    }
}
