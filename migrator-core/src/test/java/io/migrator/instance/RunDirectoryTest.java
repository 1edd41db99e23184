package io.migrator.instance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.linux.FileState;
import io.migrator.linux.HeldDirectory;
import io.migrator.problem.Problem;

import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;

class RunDirectoryTest {
    @TempDir private Path top;
    private Path tar;
    private RunDirectory source;
    private RunDirectory target;

    @BeforeEach
    void makeBoth() throws Problem {
        tar = top.resolve(RunDirectory.TAR);
        source = new RunDirectory(top.resolve("source/job"));
        target = new RunDirectory(top.resolve("target/job"));
        source.create();
        target.create();
    }

    @Test
    void itIsOpenToItsOwnerOnly() throws IOException {
        assertEquals(
                PosixFilePermissions.fromString("rwx------"),
                Files.getPosixFilePermissions(source.path()));
        assertTrue(isEmpty(source));
    }

    @Test
    void filesDirectoriesModesAndTimesArrive() throws IOException {
        Files.writeString(source.output(), "line\n");
        Files.setPosixFilePermissions(
                source.output(), PosixFilePermissions.fromString("rw-r-----"));
        Files.createDirectories(source.path().resolve("out/deep"));
        String name = "n".repeat(200);
        Files.writeString(source.path().resolve("out/deep").resolve(name), "long");
        FileTime time = FileTime.from(Instant.parse("2026-01-02T03:04:05Z"));
        Files.setLastModifiedTime(source.output(), time);

        source.pack(tar);
        target.unpack(tar);

        assertEquals("line\n", Files.readString(target.output()));
        assertEquals(time, Files.getLastModifiedTime(target.output()));
        assertEquals(
                PosixFilePermissions.fromString("rw-r-----"),
                Files.getPosixFilePermissions(target.output()));
        assertEquals("long", Files.readString(target.path().resolve("out/deep").resolve(name)));
    }

    /** A program that has it open finds it again. */
    @Test
    void fifosArrive() throws IOException {
        Path directory = Files.createDirectory(source.path().resolve("a"));
        try (HeldDirectory held = HeldDirectory.open(Path.of("/"), directory.toRealPath())) {
            held.makeFifo("fifo");
        }
        source.pack(tar);
        target.unpack(tar);
        FileState made = FileState.ofName(target.path().resolve("a/fifo")).orElseThrow();
        assertEquals(FileState.Kind.FIFO, made.kind());
        assertEquals(0600, made.permissions());
    }

    @Test
    void otherThingsAreLeftOut() throws IOException {
        Files.createSymbolicLink(source.path().resolve("link"), tar);
        Files.createFile(source.path().resolve(".probe-m1"));
        source.pack(tar);
        target.unpack(tar);
        assertTrue(isEmpty(target));
    }

    @ParameterizedTest
    @ValueSource(strings = {"../evil", "../../evil", "a/../../evil", "..", ".", "a/.."})
    void aNameThatLeadsOutIsRefused(String name) throws IOException {
        write(List.of(file(name)));
        assertThrows(IOException.class, () -> target.unpack(tar));
        assertNothingOutside();
    }

    @Test
    void anAbsoluteNameIsRefused() throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry("/tmp/evil-of-migrator-test", true);
        entry.setSize(1);
        write(List.of(entry));
        assertThrows(IOException.class, () -> target.unpack(tar));
        assertFalse(Files.exists(Path.of("/tmp/evil-of-migrator-test")));
    }

    /** First a link that leads out, then a file through it. */
    @Test
    void aLinkIsNeverMade() throws IOException {
        TarArchiveEntry link = new TarArchiveEntry("link", TarConstants.LF_SYMLINK);
        link.setLinkName("../..");
        write(List.of(link, file("link/evil")));
        assertThrows(IOException.class, () -> target.unpack(tar));
        assertFalse(Files.isSymbolicLink(target.path().resolve("link")));
        assertNothingOutside();
    }

    @Test
    void aFileThatIsThereIsNotOverwritten() throws IOException {
        write(List.of(file("stdout"), file("stdout")));
        assertThrows(IOException.class, () -> target.unpack(tar));
    }

    @Test
    void theSameDirectoryIsKnownByItsProbe() throws Problem, IOException {
        RunDirectory.Claim claim = source.claim("m1");
        assertTrue(RunDirectory.isSame(claim));
        RunDirectory.Claim elsewhere =
                new RunDirectory.Claim(target.path().toString(), claim.probe());
        assertFalse(RunDirectory.isSame(elsewhere));
        source.release("m1");
        assertFalse(RunDirectory.isSame(claim));
        assertTrue(isEmpty(source));
    }

    @Test
    void deletingFollowsNoLink() throws IOException {
        Path outside = Files.createDirectory(top.resolve("outside"));
        Files.writeString(outside.resolve("kept"), "");
        Files.createSymbolicLink(source.path().resolve("link"), outside);
        source.delete();
        assertFalse(source.exists());
        assertTrue(Files.exists(outside.resolve("kept")));
    }

    private static TarArchiveEntry file(String name) {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(1);
        return entry;
    }

    private void write(List<TarArchiveEntry> entries) throws IOException {
        try (TarArchiveOutputStream out = new TarArchiveOutputStream(Files.newOutputStream(tar))) {
            for (TarArchiveEntry entry : entries) {
                out.putArchiveEntry(entry);
                if (entry.getSize() > 0) {
                    out.write("x".getBytes(StandardCharsets.UTF_8));
                }
                out.closeArchiveEntry();
            }
        }
    }

    private void assertNothingOutside() throws IOException {
        try (Stream<Path> all = Files.walk(top)) {
            List<Path> evil =
                    all.filter(path -> path.endsWith("evil"))
                            .filter(path -> Files.exists(path, LinkOption.NOFOLLOW_LINKS))
                            .toList();
            assertEquals(List.of(), evil);
        }
    }

    private static boolean isEmpty(RunDirectory directory) {
        String[] names = directory.path().toFile().list();
        return names != null && names.length == 0;
    }
}
