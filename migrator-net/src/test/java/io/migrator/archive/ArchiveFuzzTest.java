package io.migrator.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.code_intelligence.jazzer.junit.DictionaryFile;
import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.Heap;
import io.migrator.fuzz.InMemory;
import io.migrator.fuzz.Whole;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameReader;
import io.migrator.wire.FrameWriter;
import io.migrator.wire.MendedStream;
import io.migrator.wire.StreamKind;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Any bytes are read as an archive, or refused, by all that reads one. The first byte of an input
 * says what is put right in the others first ({@link MendedStream}, and the digest).
 */
class ArchiveFuzzTest {
    private static final int SEALED = 1 << 6;

    /** What entries are made of. */
    private static final int TIMES = 400;

    @TempDir(factory = InMemory.class)
    private Path directory;

    static Stream<byte[]> seeds() throws Exception {
        Path place = Files.createTempDirectory("archive");
        try {
            Path file = place.resolve("job.mig");
            ArchiveTest.written(file, "m1", null, true).close();
            byte[] whole = Files.readAllBytes(file);
            return Stream.of(
                    seed(0, whole),
                    seed(MendedStream.ALL, whole),
                    seed(MendedStream.ALL | SEALED, whole));
        } finally {
            Files.deleteIfExists(place.resolve("job.mig"));
            Files.delete(place);
        }
    }

    private static byte[] seed(int flags, byte[] archive) {
        byte[] input = new byte[archive.length + 1];
        input[0] = (byte) flags;
        System.arraycopy(archive, 0, input, 1, archive.length);
        return input;
    }

    @MethodSource("seeds")
    @DictionaryFile(resourcePath = "/io/migrator/remote/bodies.dict")
    @Timeout(60)
    @FuzzTest
    void archivesAreReadOrRefused(byte[] input) throws Exception {
        if (input.length == 0) {
            return;
        }
        byte[] rest = Arrays.copyOfRange(input, 1, input.length);
        byte[] mended = MendedStream.of(rest, input[0], StreamKind.ARCHIVE);
        Path file = directory.resolve("job.mig");
        Files.write(file, (input[0] & SEALED) == 0 ? mended : sealed(mended));
        ArchiveReader reader = new ArchiveReader(file);
        try {
            ArchiveReader.Contents contents = contents(reader, Files.size(file));
            Whole.orLacking(contents);
            look(reader);
            copy(reader, contents);
        } catch (Problem e) {
            assertEquals(ExitCode.REFUSED, e.exitCode(), e::toString);
        }
    }

    private static ArchiveReader.Contents contents(ArchiveReader reader, long bytes)
            throws Problem, InterruptedException {
        ArchiveReader.Contents[] read = new ArchiveReader.Contents[1];
        Problem[] refused = new Problem[1];
        Heap.within(
                MendedStream.BUFFERS + TIMES * bytes,
                () -> {
                    try {
                        read[0] = reader.contents();
                    } catch (Problem e) {
                        refused[0] = e;
                    }
                });
        if (refused[0] != null) {
            throw refused[0];
        }
        return read[0];
    }

    /** Images come into their directory, and nothing comes beside it. */
    private void look(ArchiveReader reader) throws Exception {
        Path images = Files.createDirectory(directory.resolve("images"));
        try {
            reader.images(images);
            assertEquals(List.of("images", "job.mig"), names(directory));
        } finally {
            for (String each : names(images)) {
                Files.delete(images.resolve(each));
            }
            Files.delete(images);
        }
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.map(each -> each.getFileName().toString()).sorted().toList();
        }
    }

    /** What a target is told of it is all of it. */
    private void copy(ArchiveReader reader, ArchiveReader.Contents contents) throws Exception {
        for (ArchiveReader each : reader.chain()) {
            assertEquals(directory, each.file().getParent());
        }
        Path file = directory.resolve("copy.mig");
        try (ArchiveTarget target = new ArchiveTarget(file, true, null, "fuzz", Compression.NONE)) {
            target.survey(contents.kept().survey());
            target.prepare(ArchiveTest.order("m1"));
            reader.replay(target, false);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /** With an end of which the digest is right, as far as frames can be read. */
    private static byte[] sealed(byte[] archive) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        FrameWriter out = new FrameWriter(bytes, Compression.NONE, StreamKind.ARCHIVE);
        FrameReader in =
                new FrameReader(
                        Channels.newChannel(new ByteArrayInputStream(archive)), StreamKind.ARCHIVE);
        try {
            for (Frame frame = in.next(); !(frame instanceof Frame.End); frame = in.next()) {
                if (!isDigest(frame)) {
                    out.write(frame);
                }
            }
        } catch (IOException e) {
            // what is not one ends it
        }
        String digest =
                HexFormat.of().formatHex(ArchiveTarget.sha256().digest(bytes.toByteArray()));
        out.write(Entry.frame(Entry.Kind.DIGEST, digest));
        out.write(new Frame.End());
        return bytes.toByteArray();
    }

    private static boolean isDigest(Frame frame) {
        try {
            return frame instanceof Frame.Control control
                    && Entry.of(control).kind() == Entry.Kind.DIGEST;
        } catch (IOException e) {
            return false;
        }
    }
}
