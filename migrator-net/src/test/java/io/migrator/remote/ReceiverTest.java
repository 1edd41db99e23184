package io.migrator.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;
import io.migrator.remote.Envelope.Kind;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameReader;
import io.migrator.wire.FrameWriter;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What a receiver makes of a source that asks in the wrong order, lies, or is cut off. */
@Timeout(30)
class ReceiverTest {
    private static final int PREAMBLE_BYTES = 8;

    @TempDir private Path directory;
    private final ByteArrayOutputStream answers = new ByteArrayOutputStream();
    private final List<String> reported = new ArrayList<>();

    @Test
    void aSourceThatAsksForNothingIsServed() throws Exception {
        serve(stream(List.of(request(Kind.ALIVE, 0), new Frame.End())));
        assertEquals(List.of(), answers());
        assertEquals(List.of(), reported);
    }

    /** Each is refused, and the stream goes on: the source decides what to do. */
    @Test
    void nothingIsDoneBeforeItIsPrepared() throws Exception {
        serve(
                stream(
                        List.of(
                                request(Kind.TAKE, 1),
                                request(Kind.FROZEN, 2),
                                request(Kind.RESTORE, 3),
                                request(Kind.DISCARD, 4),
                                new Frame.End())));
        List<Envelope> answers = answers();
        assertEquals(4, answers.size());
        for (Envelope refused : answers.subList(0, 3)) {
            assertEquals(Kind.PROBLEM, refused.kind());
            assertEquals(ExitCode.FAILED, refused.problem().exitCode());
            assertEquals("the target is not prepared", refused.problem().what());
        }
        assertEquals(List.of(1, 2, 3, 4), answers.stream().map(Envelope::number).toList());
        assertEquals(Kind.OK, answers.getLast().kind());
    }

    /** Told at once and unasked, only once, and again when it is to be loaded. */
    @Test
    void imagesThatCannotBeStoredAreAProblemOnce() throws Exception {
        ByteBuffer data = ByteBuffer.wrap(new byte[100]);
        serve(
                stream(
                        List.of(
                                new Frame.FileOpen(1, "core-1.img"),
                                new Frame.FileData(1, 0, data),
                                new Frame.FileEnd(1, 100),
                                new Frame.FileOpen(2, "core-2.img"),
                                new Frame.FileEnd(2, 0),
                                request(Kind.RESTORE, 4),
                                new Frame.End())));
        List<Envelope> answers = answers();
        assertEquals(List.of(0, 4), answers.stream().map(Envelope::number).toList());
        for (Envelope answer : answers) {
            assertEquals(Kind.PROBLEM, answer.kind());
            assertEquals("the target is not prepared", answer.problem().what());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"kind\":\"OK\",\"number\":1,\"body\":null}",
                "{\"kind\":\"PROBLEM\",\"number\":1,\"body\":null}",
                "{\"kind\":\"SURVEY\",\"number\":1,\"body\":null}",
                "{\"kind\":\"PREPARE\",\"number\":1,\"body\":{\"id\":7,\"more\":1}}",
                "{\"kind\":\"ERASE\",\"number\":1,\"body\":null}",
                "{\"kind\":null,\"number\":1,\"body\":null}",
                "{\"kind\":\"TAKE\",\"number\":null,\"body\":null}",
                "{\"number\":1}",
                "[]",
                "null",
                "{\"kind\":\"LOAD\",\"number\":1,\"body\":null}",
                "x",
                // an address that ends an nft command and begins another
                "{\"kind\":\"RESTORE\",\"number\":1,\"body\":[{\"from\":\"::\","
                        + "\"fromPort\":1,\"to\":\"}; flush ruleset\",\"toPort\":2}]}",
                "{\"kind\":\"RESTORE\",\"number\":1,\"body\":[null]}",
                "{\"kind\":\"RESTORE\",\"number\":1,\"body\":null}",
                "{\"kind\":\"RESTORE\",\"number\":1,\"body\":{}}",
            })
    void nonsenseEndsTheStream(String message) throws Exception {
        byte[] stream = stream(List.of(Frame.Control.of(message), new Frame.End()));
        assertThrows(IOException.class, () -> serve(stream));
        assertEquals(List.of(), answers());
    }

    @Test
    void aStreamThatIsCutAnywhereIsAFault() throws Exception {
        byte[] whole = stream(List.of(request(Kind.ALIVE, 0), new Frame.End()));
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThrows(IOException.class, () -> serve(part), "cut at " + length);
        }
    }

    /** A cut link is not seen by TCP for a long time: the source has to be heard. */
    @Test
    void silenceIsAFault() throws Exception {
        Pipe link = Pipe.open();
        link.sink().write(ByteBuffer.wrap(stream(List.of(request(Kind.ALIVE, 0)))));
        Receiver receiver =
                new Receiver(link.source(), answers, reported::add, Duration.ofMillis(200));
        IOException fault = assertThrows(IOException.class, receiver::serve);
        assertEquals("the source has been silent for too long", fault.getMessage());
        Thread.interrupted(); // the watchdog's
    }

    @Test
    void anotherProgramThanOursIsAFault() {
        byte[] http = "GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        IOException fault = assertThrows(IOException.class, () -> serve(http));
        assertTrue(fault.getMessage().contains("MIGR"), fault.getMessage());
    }

    private static Frame request(Kind kind, int number) throws IOException {
        return Envelope.of(kind, number, kind == Kind.RESTORE ? List.of() : null).toFrame();
    }

    private static byte[] stream(List<Frame> frames) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        FrameWriter writer = new FrameWriter(bytes, Compression.NONE);
        for (Frame frame : frames) {
            writer.write(frame);
        }
        return bytes.toByteArray();
    }

    private void serve(byte[] stream) throws IOException, InterruptedException, Problem {
        answers.reset();
        Path file = Files.write(directory.resolve("stream"), stream);
        try (FileChannel in = FileChannel.open(file)) {
            new Receiver(in, answers, reported::add).serve();
        }
    }

    /** What it wrote; a receiver does not send an END. */
    private List<Envelope> answers() throws IOException {
        List<Envelope> read = new ArrayList<>();
        ByteArrayInputStream bytes = new ByteArrayInputStream(answers.toByteArray());
        FrameReader reader = new FrameReader(bytes);
        boolean silent = bytes.available() == PREAMBLE_BYTES;
        while (!silent && bytes.available() > 0) {
            read.add(Envelope.parse(assertInstanceOf(Frame.Control.class, reader.next())));
        }
        return read;
    }
}
