package io.migrator.remote;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.handover.Token;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;
import io.migrator.wire.Frame;
import io.migrator.wire.JsonBody;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.List;

/**
 * A control message.
 *
 * @param kind what is asked or answered
 * @param number of the request; a reply has its request's; 0 for what nobody asked for
 * @param body of the kind; null where there is none
 */
record Envelope(Kind kind, int number, @JsonSetter(nulls = Nulls.SET) JsonNode body) {
    enum Kind {
        SURVEY,
        PREPARE,
        /** Which of these files are there. */
        FILES,
        /** Makes files that go along. */
        CARRY,
        /** What has come of them goes to the disk. */
        SYNC,
        /** Brings them to their places. */
        PLACE,
        /** The job stands still, and nobody hears it. */
        FROZEN,
        RESTORE,
        LOAD,
        TAKE,
        /** All late pages are sent. */
        FILL,
        /** Instead of all these: goes on with a job that runs there and lacks pages. */
        ATTACH,
        /** The job waits for a page; from the target, number 0. */
        WANTED,
        /** The source has ended the job on its side. */
        DONE,
        DISCARD,
        /** What the target did when. */
        ACCOUNT,
        /** The source lives; no reply. */
        ALIVE,
        /** Reply: done. */
        OK,
        /** Reply: not done; also sent unasked when images cannot be stored. */
        PROBLEM;

        /** Whether only a failure is answered: each message takes its time from the freeze. */
        boolean isTold() {
            return this == FROZEN || this == RESTORE || this == PLACE;
        }
    }

    /** A problem as it crosses; where the payload is, each side knows for itself. */
    record Told(ExitCode exitCode, String what, String because, String tryThis) {}

    /** Which page; the address is that on the source. */
    record Wanted(int pid, long address) {}

    /** Which migration. */
    record Attached(String id, Token token) {}

    static Envelope of(Kind kind, int number, @Nullable Object body) {
        return new Envelope(kind, number, JsonBody.of(body));
    }

    static Envelope of(Problem problem, int number) {
        return of(
                Kind.PROBLEM,
                number,
                new Told(problem.exitCode(), problem.what(), problem.because(), problem.tryThis()));
    }

    static Envelope parse(Frame.Control frame) throws IOException {
        Envelope envelope = JsonBody.read(frame, Envelope.class);
        if (envelope.kind == null || envelope.body == null) {
            throw new IOException("a control message without kind or body");
        }
        return envelope;
    }

    Frame.Control toFrame() throws IOException {
        return JsonBody.message(this);
    }

    /** The body as what it must be. */
    <T> T body(Class<T> type) throws IOException {
        return JsonBody.as(body, type);
    }

    /** The body as a list of what it must be. */
    <T> List<T> list(Class<T> type) throws IOException {
        return JsonBody.list(body, type);
    }

    /** The problem of a {@link Kind#PROBLEM}. */
    Problem problem() throws IOException {
        Told told = body(Told.class);
        if (told.exitCode == null || told.what == null) {
            throw new IOException("a problem without a code or a text");
        }
        return Problem.of(told.exitCode, told.what, told.because, told.tryThis);
    }
}
