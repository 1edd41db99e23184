package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The lines are from logs of criu 4.2.1 in the lab. */
class CriuLogTest {
    @TempDir private Path directory;

    private static final String HARMLESS =
            """
            (00.000000) CRIU run id = 5918bb31-566f-4bbb-bea4-456c7e2d0525
            (00.000042) Version: 4.2.1 (gitid 0)
            (00.078947) Will dump/restore TCP connections
            (00.078977) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted
            (00.194886) Warn  (compel/arch/x86/src/lib/infect.c:419): Will restore 29 with interrupted system call
            """;

    @Test
    void theCauseIsFoundBehindTheHarmlessErrors() throws IOException {
        CriuLog log =
                log(
                        HARMLESS
                                + """
                                (01.312536)     30: inet: 	Restore: family AF_INET    type SOCK_STREAM
                                (01.312629)     30: Error (criu/sk-inet.c:1059): inet: Can't bind inet socket (id 9): Address already in use
                                (01.312644)     30: Error (criu/files.c:1221): Unable to open fd=3 id=0x9
                                (01.315777)     29: Error (criu/cr-restore.c:1265): 30 exited, status=1
                                (01.315815) Error (criu/cr-restore.c:2331): Restoring FAILED.
                                """);
        assertEquals(
                List.of(
                        "inet: Can't bind inet socket (id 9): Address already in use",
                        "Unable to open fd=3 id=0x9",
                        "30 exited, status=1"),
                log.causes());
        assertEquals(
                "inet: Can't bind inet socket (id 9): Address already in use;"
                        + " Unable to open fd=3 id=0x9; 30 exited, status=1",
                log.because());
    }

    @Test
    void aLogOfAGoodRunNamesNoCause() throws IOException {
        CriuLog log = log(HARMLESS);
        assertEquals(List.of(), log.causes());
        assertEquals("its log names no cause", log.because());
    }

    @Test
    void theSameErrorOfManyProcessesIsToldOnce() throws IOException {
        CriuLog log =
                log(
                        """
                        (00.1)     30: Error (criu/files.c:1221): Unable to open fd=3 id=0x9
                        (00.2)     31: Error (criu/files.c:1221): Unable to open fd=3 id=0x9
                        """);
        assertEquals(List.of("Unable to open fd=3 id=0x9"), log.causes());
    }

    @Test
    void bytesThatAreNotUtf8DoNotHideTheCause() throws IOException {
        Path file = directory.resolve("raw.log");
        Files.write(
                file,
                "(00.1) Error (criu/files.c:1): no file caf\u00e9\n"
                        .getBytes(StandardCharsets.ISO_8859_1));
        assertEquals(List.of("no file café"), new CriuLog(file).causes());
    }

    @Test
    void aMissingLogIsNoFaultOfItsOwn() {
        assertEquals(List.of(), new CriuLog(directory.resolve("none")).causes());
    }

    private CriuLog log(String text) throws IOException {
        return new CriuLog(Files.writeString(directory.resolve("criu.log"), text));
    }
}
