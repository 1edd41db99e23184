package io.migrator.remote;

import com.code_intelligence.jazzer.junit.DictionaryFile;
import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.files.FileAnswer;
import io.migrator.fuzz.Whole;
import io.migrator.handover.SourceJournal;
import io.migrator.migration.TargetFacts;
import io.migrator.problem.Problem;
import io.migrator.remote.Envelope.Kind;
import io.migrator.ssh.RemoteProcess;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameWriter;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * A target may answer what it likes: the source takes it or has a problem. An input is the text of
 * one message, behind which comes an answer that says nothing.
 */
class LineFuzzTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    static Stream<byte[]> seeds() {
        return Bodies.all().values().stream()
                .flatMap(
                        body -> Stream.of("OK", "PROBLEM", "WANTED").map(kind -> seed(kind, body)));
    }

    private static byte[] seed(String kind, String body) {
        return "{\"kind\":\"%s\",\"number\":1,\"body\":%s}"
                .formatted(kind, body)
                .getBytes(StandardCharsets.UTF_8);
    }

    @MethodSource("seeds")
    @DictionaryFile(resourcePath = "bodies.dict")
    @Timeout(60)
    @FuzzTest
    void answersAreTakenOrAProblem(byte[] input) throws Exception {
        Frame.Control first = Frame.Control.of(new String(input, StandardCharsets.UTF_8));
        if (!first.json().hasRemaining() || !isMessage(first)) {
            return; // which the source waits a while for
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        FrameWriter out = new FrameWriter(bytes, Compression.NONE);
        out.write(first);
        out.write(Envelope.of(Kind.OK, 1, null).toFrame());
        out.write(new Frame.End());
        Answers far = new Answers(new ByteArrayInputStream(bytes.toByteArray()));
        try (RemoteTarget target = target(far)) {
            if (input.length % 2 == 0) {
                TargetFacts facts = target.survey(null);
                Whole.orLacking(facts);
            } else {
                List<FileAnswer> answers = target.files(List.of());
                Whole.orLacking(answers);
            }
        } catch (Problem e) {
            Whole.orLacking(List.of(e.what(), e.because(), e.tryThis()));
        }
    }

    private static boolean isMessage(Frame.Control frame) {
        try {
            Envelope message = Envelope.parse(frame);
            if (message.kind() == Kind.WANTED) {
                message.body(Envelope.Wanted.class);
            } else if (message.number() == 0) {
                message.problem();
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static RemoteTarget target(RemoteProcess far) throws IOException {
        return new RemoteTarget(
                "n2",
                List.of("migrator"),
                LIMIT,
                new RemoteNode(
                        new SourceJournal.Far("n2", "auto", "migrator"),
                        () -> {
                            throw Problem.refused("no route");
                        }),
                new Line("n2", far, Compression.NONE));
    }

    /** A program that has said all it will say. */
    private record Answers(InputStream stdout) implements RemoteProcess {
        @Override
        public OutputStream stdin() {
            return OutputStream.nullOutputStream();
        }

        @Override
        public String stderrTail() {
            return "";
        }

        @Override
        public OptionalInt waitFor(Duration limit) {
            return OptionalInt.of(0);
        }

        @Override
        public void close() {}
    }
}
