package io.migrator.criu;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * A protobuf message as a list of fields in the order of the bytes (protobuf.dev, "Encoding"). No
 * schema: criu's messages are read by field number and what is not understood is kept as it came,
 * so that an edited image loses nothing that a newer criu put there. Immutable.
 */
public final class ProtoMessage {
    private static final int LAST_ID = (1 << 29) - 1;
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    /** One field; {@code number} for wire types 0, 1 and 5, {@code bytes} for type 2. */
    private record Field(int id, int wireType, long number, byte[] bytes) {}

    private final List<Field> fields;

    private ProtoMessage(List<Field> fields) {
        this.fields = List.copyOf(fields);
    }

    /** The message without fields. */
    public static ProtoMessage empty() {
        return new ProtoMessage(List.of());
    }

    /**
     * Reads a message, which may come from anybody.
     *
     * @throws IOException if the bytes are not a well-formed message
     */
    public static ProtoMessage parse(byte[] bytes) throws IOException {
        List<Field> fields = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (in.hasRemaining()) {
            long key = varint(in);
            int id = (int) (key >>> 3);
            int wireType = (int) (key & 7);
            int width = wireType == FIXED64 ? Long.BYTES : wireType == FIXED32 ? Integer.BYTES : 0;
            if (key >>> 3 > LAST_ID || id <= 0 || in.remaining() < width) {
                throw new IOException("malformed field at byte " + in.position());
            }
            fields.add(
                    switch (wireType) {
                        case VARINT -> new Field(id, wireType, varint(in), new byte[0]);
                        case FIXED64 -> new Field(id, wireType, in.getLong(), new byte[0]);
                        case FIXED32 -> new Field(id, wireType, in.getInt(), new byte[0]);
                        case BYTES -> new Field(id, wireType, 0, counted(in));
                        default -> throw new IOException("wire type " + wireType + " unknown");
                    });
        }
        return new ProtoMessage(fields);
    }

    /** A copy with one more field that holds a number. */
    public ProtoMessage with(int id, long number) {
        return appended(new Field(id, VARINT, number, new byte[0]));
    }

    /** A copy with one more field that holds a truth value. */
    public ProtoMessage with(int id, boolean value) {
        return with(id, value ? 1 : 0);
    }

    /** A copy with one more field that holds text. */
    public ProtoMessage with(int id, String text) {
        return with(id, text.getBytes(StandardCharsets.UTF_8));
    }

    /** A copy with one more field that holds bytes, which are its own from then on. */
    public ProtoMessage with(int id, byte[] bytes) {
        return appended(new Field(id, BYTES, 0, bytes));
    }

    /** A copy with one more field that holds a message. */
    public ProtoMessage with(int id, ProtoMessage inner) {
        return with(id, inner.toBytes());
    }

    /** A copy without the fields of that number. */
    public ProtoMessage without(int id) {
        return new ProtoMessage(fields.stream().filter(field -> field.id != id).toList());
    }

    /** A copy in which the (only) inner message of that number is another. */
    public ProtoMessage replacing(int id, ProtoMessage inner) {
        byte[] bytes = inner.toBytes();
        return new ProtoMessage(
                fields.stream()
                        .map(field -> field.id == id ? new Field(id, BYTES, 0, bytes) : field)
                        .toList());
    }

    /** The last number of that field, as protobuf has it for a field that is not repeated. */
    public OptionalLong number(int id) {
        return matching(field -> field.id == id && field.wireType != BYTES)
                .mapToLong(Field::number)
                .reduce((first, second) -> second);
    }

    /** All numbers of a repeated field. */
    public List<Long> numbers(int id) {
        return matching(field -> field.id == id && field.wireType != BYTES)
                .map(Field::number)
                .toList();
    }

    /** The last text of that field. */
    public Optional<String> text(int id) {
        return bytes(id).map(bytes -> new String(bytes, StandardCharsets.UTF_8));
    }

    /** The last bytes of that field. */
    public Optional<byte[]> bytes(int id) {
        return matching(field -> field.id == id && field.wireType == BYTES)
                .map(Field::bytes)
                .reduce((first, second) -> second);
    }

    /** The inner messages of that number. */
    public List<ProtoMessage> messages(int id) throws IOException {
        List<ProtoMessage> found = new ArrayList<>();
        for (Field field : fields) {
            if (field.id == id && field.wireType == BYTES) {
                found.add(parse(field.bytes));
            }
        }
        return found;
    }

    /** The wire form. */
    public byte[] toBytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Field field : fields) {
            putVarint(out, ((long) field.id << 3) | field.wireType);
            switch (field.wireType) {
                case VARINT -> putVarint(out, field.number);
                case FIXED64 -> putFixed(out, field.number, Long.BYTES);
                case FIXED32 -> putFixed(out, field.number, Integer.BYTES);
                default -> {
                    putVarint(out, field.bytes.length);
                    out.writeBytes(field.bytes);
                }
            }
        }
        return out.toByteArray();
    }

    private ProtoMessage appended(Field field) {
        List<Field> longer = new ArrayList<>(fields);
        longer.add(field);
        return new ProtoMessage(longer);
    }

    private Stream<Field> matching(Predicate<Field> wanted) {
        return fields.stream().filter(wanted);
    }

    private static long varint(ByteBuffer in) throws IOException {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            if (!in.hasRemaining()) {
                break;
            }
            byte next = in.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new IOException("malformed number at byte " + in.position());
    }

    private static byte[] counted(ByteBuffer in) throws IOException {
        long length = varint(in);
        if (length < 0 || length > in.remaining()) {
            throw new IOException("length " + length + " at byte " + in.position());
        }
        byte[] bytes = new byte[(int) length];
        in.get(bytes);
        return bytes;
    }

    private static void putVarint(ByteArrayOutputStream out, long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) (rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    private static void putFixed(ByteArrayOutputStream out, long value, int width) {
        for (int i = 0; i < width; i++) {
            out.write((int) (value >>> (8 * i)));
        }
    }
}
