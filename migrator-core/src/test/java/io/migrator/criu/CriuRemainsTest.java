package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Optional;

class CriuRemainsTest {
    private static final String CLEAN =
            """
            00400000-00401000 r--p 00000000 00:2b 1315 /shared/bin/pattern
            7fa5a1360000-7fa5a136a000 rw-s 00000000 00:01 12 /memfd:CRIUMFD-of-my-own (deleted)
            7ffc0a9f5000-7ffc0aa16000 rw-p 00000000 00:00 0  [stack]
            """;

    /** As seen in a job whose criu was killed. */
    private static final String LEFT =
            CLEAN
                    + """
                    7fa5a136a000-7fa5a136f000 r-xs 00000000 00:01 2051 /memfd:CRIUMFD (deleted)
                    7fa5a136f000-7fa5a13e6000 rw-s 00005000 00:01 2051 /memfd:CRIUMFD (deleted)
                    """;

    private static final String ASLEEP = "35 0x7fff7 0x0 0x0 0x0 0x0 0x0 0x7ffc0aa10000 0x401234\n";

    private static Optional<CriuRemains> remains(boolean entered) {
        return Optional.of(new CriuRemains(0x7c000, entered));
    }

    @Test
    void aProcessThatNobodyTouchedHasNone() {
        assertEquals(Optional.empty(), CriuRemains.in(CLEAN, List.of(ASLEEP)));
    }

    /** The kernel escapes a line feed in a path and nothing else. */
    @Test
    void aFileThatIsCalledSoIsNone() {
        String line = "7fa5a136a000-7fa5a136f000 r-xs 00000000 00:01 2051 ";
        for (String path :
                List.of("/x /memfd:CRIUMFD", "/x\r" + line + "/memfd:CRIUMFD", "/x\u0085")) {
            String maps = CLEAN + line + path + "\n";
            assertEquals(Optional.empty(), CriuRemains.in(maps, List.of(ASLEEP)), path);
        }
    }

    @Test
    void whatNoThreadIsInIsOnlyMemory() {
        assertEquals(remains(false), CriuRemains.in(LEFT, List.of("running\n", ASLEEP)));
    }

    @Test
    void aThreadInTheCodeIsSeen() {
        String inside = "45 0x4 0x0 0x0 0x0 0x0 0x0 0x7ffc0aa10000 0x7fa5a136a010\n";
        assertEquals(remains(true), CriuRemains.in(LEFT, List.of(ASLEEP, inside)));
    }

    @Test
    void aThreadOnTheStackOfTheCodeIsSeen() {
        assertEquals(remains(true), CriuRemains.in(LEFT, List.of("-1 0x7fa5a13e5ff8 0x401234\n")));
    }
}
