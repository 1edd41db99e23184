package io.migrator.archive;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.wire.Frame;
import io.migrator.wire.JsonBody;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.List;

/**
 * What an archive says between the files and the memory of its job (docs/archive.md).
 *
 * @param kind what is said
 * @param body of the kind
 */
record Entry(Kind kind, JsonNode body) {
    enum Kind {
        /** First: an {@link ArchiveHead}. */
        HEAD,
        /** Files whose bytes follow. */
        CARRY,
        /** How they are to be. */
        PLACE,
        /** All images are there. */
        RESTORE,
        /** All pages are there. */
        LOAD,
        /** What a node must be told, and must have. */
        KEPT,
        /** Last: SHA-256 of all bytes before, in hexadecimal. */
        DIGEST
    }

    static Frame.Control frame(Kind kind, @Nullable Object body) throws IOException {
        return JsonBody.message(new Entry(kind, JsonBody.of(body)));
    }

    <T> T as(Class<T> type) throws IOException {
        return JsonBody.as(body, type);
    }

    <T> List<T> list(Class<T> type) throws IOException {
        return JsonBody.list(body, type);
    }

    static Entry of(Frame.Control frame) throws IOException {
        Entry entry = JsonBody.read(frame, Entry.class);
        if (entry.kind == null || entry.body == null) {
            throw new IOException("an entry without kind or body");
        }
        return entry;
    }
}
