package io.migrator.wire;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;

import io.migrator.handover.Journal;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What a control message says, as JSON; what is read may come from anybody. */
public final class JsonBody {
    private static final ObjectMapper JSON = Journal.strict();

    private JsonBody() {}

    /** A value as a part of a message; null is a part too. */
    public static JsonNode of(@Nullable Object value) {
        return value == null ? NullNode.instance : JSON.valueToTree(value);
    }

    /** A whole message. */
    public static Frame.Control message(Object value) throws IOException {
        return Frame.Control.of(JSON.writeValueAsString(value));
    }

    /**
     * A message as what it must be.
     *
     * @throws IOException if it is not
     */
    public static <T> T read(Frame.Control message, Class<T> type) throws IOException {
        return present(JSON.readValue(message.text(), type));
    }

    /** A part as what it must be. */
    public static <T> T as(JsonNode body, Class<T> type) throws IOException {
        return present(converted(body, type));
    }

    /** A part as a list of what it must be. */
    public static <T> List<T> list(JsonNode body, Class<T> type) throws IOException {
        if (!body.isArray()) {
            throw new IOException("a control message without its list");
        }
        List<T> values = new ArrayList<>();
        for (JsonNode each : body) {
            values.add(present(converted(each, type)));
        }
        return values;
    }

    private static <T> @Nullable T converted(JsonNode body, Class<T> type)
            throws JsonProcessingException {
        return JSON.treeToValue(body, type);
    }

    private static <T> T present(@Nullable T value) throws IOException {
        if (value == null) {
            throw new IOException("a control message lacks a part");
        }
        return value;
    }
}
