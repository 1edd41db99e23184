package io.migrator.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.files.FileAnswer.State;
import io.migrator.files.UsedFile.Use;
import io.migrator.instance.ImageIdentity;
import io.migrator.linux.FileState;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;

/** What a target finds of the files of a job; both nodes are this one. */
class FileAnswersTest {
    private static final int MODE = 0600;

    @TempDir private Path temporary;
    private Path here;
    private Path there;

    @BeforeEach
    void make() throws IOException {
        here = Files.createDirectory(temporary.toRealPath().resolve("here"));
        there = Files.createDirectory(temporary.toRealPath().resolve("there"));
    }

    private UsedFile used(String name, Use use) throws IOException {
        Path file = here.resolve(name);
        if (!Files.exists(file)) {
            Files.writeString(file, "text of " + name);
            Files.setAttribute(file, "unix:mode", MODE);
        }
        return new UsedFile(file.toString(), file, use, "a test", file, FileState.of(file));
    }

    /** The target has another directory, in which there is a copy of the probe, or not. */
    private FileAnswer answer(UsedFile file, boolean probe) throws Exception {
        try (FileClaims claims = FileClaims.of(List.of(file), false)) {
            FileClaim claim = claims.all().getFirst();
            String name = claim.probe().name();
            if (probe) {
                Files.copy(here.resolve(name), there.resolve(name));
            }
            FileClaim elsewhere =
                    new FileClaim(
                            new ImageIdentity(
                                    there.resolve(here.relativize(Path.of(file.path()))).toString(),
                                    claim.identity().fileSystem(),
                                    claim.identity().inode(),
                                    claim.identity().changed(),
                                    claim.identity().bytes(),
                                    ""),
                            claim.use(),
                            claim.probe(),
                            claim.uid(),
                            claim.gid(),
                            claim.permissions(),
                            claim.dataBytes());
            return claim.settled(FileAnswers.of(List.of(elsewhere)).getFirst());
        }
    }

    private void copy(String name, String text, int mode) throws IOException {
        Path file = Files.writeString(there.resolve(name), text);
        Files.setAttribute(file, "unix:mode", mode);
    }

    @Test
    void whoSeesTheProbeHasTheSameFile() throws Exception {
        try (FileClaims claims = FileClaims.of(List.of(used("a", Use.WRITTEN)), false)) {
            assertEquals(State.SAME, FileAnswers.of(claims.all()).getFirst().state());
        }
        try (Stream<Path> left = Files.list(here)) {
            assertEquals(1, left.count());
        }
    }

    /** As on nodes that were made from one disk image: all numbers and times are the same. */
    @Test
    void numbersAndTimesProveNothingOfAFileThatIsWritten() throws Exception {
        copy("a", "text of a", MODE);
        assertEquals(State.ANOTHER, answer(used("a", Use.WRITTEN), false).state());
        assertEquals(State.SAME, answer(used("a", Use.READ), false).state());
    }

    @Test
    void aProbeWithAnotherTextIsNone() throws Exception {
        copy("a", "text of a", MODE);
        UsedFile file = used("a", Use.WRITTEN);
        try (FileClaims claims = FileClaims.of(List.of(file), false)) {
            Path probe = here.resolve(claims.all().getFirst().probe().name());
            assertEquals("rw-------", permissions(probe));
            Files.writeString(probe, "forged");
            assertEquals(State.ANOTHER, FileAnswers.of(claims.all()).getFirst().state());
        }
        assertEquals(State.SAME, answer(file, true).state());
    }

    private static String permissions(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    @Test
    void whatIsOnlyReadIsTheSameWithTheSameContents() throws Exception {
        copy("a", "text of b", MODE);
        assertEquals(State.ANOTHER, answer(used("a", Use.READ), false).state());
        copy("a", "text of a", MODE);
        assertEquals(State.SAME, answer(used("a", Use.READ), false).state());
        copy("a", "text of a", 0644); // criu compares them
        assertEquals(State.ANOTHER, answer(used("a", Use.READ), false).state());
    }

    @Test
    void otherKindsAreTold() throws Exception {
        Files.createDirectory(there.resolve("a"));
        assertEquals(State.OTHER_KIND, answer(used("a", Use.READ), false).state());
        Files.createSymbolicLink(there.resolve("b"), there.resolve("nothing"));
        assertEquals(State.OTHER_KIND, answer(used("b", Use.READ), false).state());
    }

    @Test
    void aDirectoryNeedsItsPermissionsOnlyIfItIsOpen() throws Exception {
        Files.createDirectory(here.resolve("d"));
        Files.createDirectory(there.resolve("d"));
        Files.setAttribute(there.resolve("d"), "unix:mode", 0711);
        assertEquals(State.ANOTHER, answer(used("d", Use.DIRECTORY), false).state());
        assertEquals(State.SAME, answer(used("d", Use.BOUND), false).state());
    }

    @Test
    void whatCouldNotBeMadeIsTold() throws Exception {
        FileAnswer absent = answer(used("a", Use.WRITTEN), false);
        assertEquals(State.ABSENT, absent.state());
        assertEquals("", absent.problem());
        Path link = Files.createSymbolicLink(temporary.toRealPath().resolve("link"), there);
        there = link;
        FileAnswer led = answer(used("b", Use.WRITTEN), false);
        assertTrue(led.problem().contains("symbolic link"), led::problem);
        there = Files.writeString(link.resolveSibling("file"), "");
        assertTrue(answer(used("c", Use.READ), false).problem().contains("no directory"));
    }
}
