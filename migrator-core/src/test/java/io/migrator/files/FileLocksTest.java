package io.migrator.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.files.FileLocks.Kind;
import io.migrator.files.FileLocks.Lock;
import io.migrator.instance.RunDirectory;
import io.migrator.linux.Proc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

class FileLocksTest {
    private static final RunDirectory CARRIED = new RunDirectory(Path.of("/home/a/.migrator/x"));

    @Test
    void kindsAreReadFromWhatTheKernelPrints() {
        List<String> fdinfo =
                List.of(
                        "pos:\t0",
                        "flags:\t0100002",
                        "lock:\t1: FLOCK  ADVISORY  WRITE 4711 00:1f:9876 0 EOF",
                        "lock:\t2: POSIX  ADVISORY  READ 4711 00:1f:9876 0 9",
                        "lock:\t3: POSIX  ADVISORY  READ 4711 00:1f:9876 20 29",
                        "lock:\t4: OFDLCK ADVISORY  WRITE -1 00:1f:9876 0 EOF",
                        "lock:\t5: LEASE  ACTIVE    WRITE 4711 00:1f:9876 0 EOF");
        assertEquals(
                List.of(Kind.FLOCK, Kind.POSIX, Kind.OFD, Kind.LEASE), FileLocks.kinds(fdinfo));
    }

    @Test
    void aDescriptorWithoutLocksHasNone() {
        assertEquals(List.of(), FileLocks.kinds(List.of("pos:\t0", "mnt_id:\t29", "lock:", "")));
    }

    @Test
    void aLockOfThisProcessIsFoundWithItsFile(@TempDir Path directory) throws Exception {
        Path file = directory.toRealPath().resolve("file");
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            Lock expected = new Lock(Kind.POSIX, file.toString());
            assertFalse(FileLocks.of(Proc.self()).contains(expected));
            channel.lock();
            assertTrue(FileLocks.of(Proc.self()).contains(expected));
        }
    }

    @Test
    void onlyFilesThatNobodyElseKnowsGoWithTheJob() {
        assertTrue(new Lock(Kind.FLOCK, "/home/a/.migrator/x/lock").goesWith(CARRIED::holds));
        assertTrue(new Lock(Kind.FLOCK, "/tmp/gone (deleted)").goesWith(path -> false));
        assertFalse(new Lock(Kind.FLOCK, "/home/a/.migrator/x/lock").goesWith(path -> false));
        assertFalse(new Lock(Kind.FLOCK, "/home/a/.migrator/xy/lock").goesWith(CARRIED::holds));
        assertFalse(new Lock(Kind.FLOCK, "/shared/lock").goesWith(CARRIED::holds));
    }
}
