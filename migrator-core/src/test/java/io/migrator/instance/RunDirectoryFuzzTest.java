package io.migrator.instance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.Heap;
import io.migrator.fuzz.InMemory;
import io.migrator.linux.FileState;

import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A tar comes from another node: it is unpacked into the run directory or refused, never beside.
 */
class RunDirectoryFuzzTest {
    private static final long SMALL_BYTES = 4 << 20;
    private static final int TIMES = 100;

    /** Bytes on the disk for each byte of a tar: a directory takes a block. */
    private static final int TIMES_ON_DISK = 10;

    @TempDir(factory = InMemory.class)
    private static Path top;

    static Stream<byte[]> seeds() throws IOException {
        TarArchiveEntry symbolic = new TarArchiveEntry("out", TarConstants.LF_SYMLINK);
        symbolic.setLinkName("../outside");
        TarArchiveEntry hard = new TarArchiveEntry("hard", TarConstants.LF_LINK);
        hard.setLinkName("../outside/kept");
        return Stream.of(
                tar(
                        file("stdout"),
                        new TarArchiveEntry("deep/"),
                        file("deep/" + "n".repeat(200)),
                        new TarArchiveEntry("deep/fifo", TarConstants.LF_FIFO)),
                tar(symbolic, file("out/evil")),
                tar(hard, file("hard")),
                tar(file("../evil")),
                tar(new TarArchiveEntry("sparse", TarConstants.LF_GNUTYPE_SPARSE)));
    }

    private static TarArchiveEntry file(String name) {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(1);
        return entry;
    }

    private static byte[] tar(TarArchiveEntry... entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream out = new TarArchiveOutputStream(bytes, 512)) {
            out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            for (TarArchiveEntry each : entries) {
                out.putArchiveEntry(each);
                if (each.getSize() > 0) {
                    out.write('x');
                }
                out.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void tarsAreUnpackedOrRefused(byte[] input) throws IOException {
        Path tar = top.resolve("tar");
        Path kept = Files.createDirectories(top.resolve("outside")).resolve("kept");
        Files.writeString(kept, "kept");
        Files.write(tar, input);
        RunDirectory target = new RunDirectory(top.resolve("target"));
        try {
            Heap.within(
                    SMALL_BYTES + (long) TIMES * input.length,
                    () -> {
                        target.delete();
                        Files.createDirectory(target.path());
                        try {
                            target.unpack(tar);
                        } catch (IOException e) {
                            // refused
                        }
                    });
            long bytes = 0;
            try (Stream<Path> all = Files.walk(target.path())) {
                for (Path each : all.toList()) {
                    FileState state = FileState.ofName(each).orElseThrow();
                    switch (state.kind()) {
                        case FILE, DIRECTORY, FIFO -> bytes += state.bytes();
                        default -> throw new AssertionError(each + " is " + state.kind());
                    }
                }
            }
            long unpacked = bytes;
            assertTrue(
                    bytes <= SMALL_BYTES + (long) TIMES_ON_DISK * input.length,
                    () -> unpacked + " bytes unpacked");
            assertEquals("kept", Files.readString(kept));
            try (Stream<Path> outside = Files.list(top)) {
                assertEquals(
                        List.of("outside", "tar", "target"),
                        outside.map(each -> each.getFileName().toString()).sorted().toList());
            }
        } finally {
            target.delete();
        }
    }
}
