package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;

class ProtoMessageTest {

    @Test
    void whatIsWrittenIsRead() throws IOException {
        ProtoMessage inner = ProtoMessage.empty().with(1, "post-dump").with(2, 4711);
        ProtoMessage message =
                ProtoMessage.empty()
                        .with(1, Long.MIN_VALUE)
                        .with(2, true)
                        .with(3, "größer")
                        .with(4, inner)
                        .with(5, 1)
                        .with(5, 300);
        ProtoMessage read = ProtoMessage.parse(message.toBytes());
        assertEquals(OptionalLong.of(Long.MIN_VALUE), read.number(1));
        assertEquals(OptionalLong.of(1), read.number(2));
        assertEquals(Optional.of("größer"), read.text(3));
        assertEquals(Optional.of("post-dump"), read.messages(4).getFirst().text(1));
        assertEquals(List.of(1L, 300L), read.numbers(5));
        assertEquals(OptionalLong.empty(), read.number(6));
    }

    /** The example of protobuf.dev, "Encoding": field 1 is 150. */
    @Test
    void bytesAreThoseOfTheSpecification() throws IOException {
        assertArrayEquals(bytes("08 96 01"), ProtoMessage.empty().with(1, 150).toBytes());
        assertEquals(OptionalLong.of(150), ProtoMessage.parse(bytes("08 96 01")).number(1));
    }

    /** A field that is not repeated may come twice: the last one counts. */
    @Test
    void theLastOfAFieldCounts() throws IOException {
        ProtoMessage twice = ProtoMessage.empty().with(1, 7).with(1, 8);
        assertEquals(OptionalLong.of(8), ProtoMessage.parse(twice.toBytes()).number(1));
    }

    /** Fields 1 varint, 2 fixed64, 3 bytes, 4 fixed32, of which nothing is known here. */
    @Test
    void whatIsNotUnderstoodIsKeptAsItCame() throws IOException {
        byte[] all = bytes("08 01 11 0102030405060708 1a 02 ffff 25 0a0b0c0d");
        ProtoMessage read = ProtoMessage.parse(all);
        assertArrayEquals(all, read.toBytes());
        ProtoMessage edited = read.without(1).with(99, "new");
        assertEquals(Optional.of("new"), ProtoMessage.parse(edited.toBytes()).text(99));
        assertArrayEquals(
                bytes("11 0102030405060708 1a 02 ffff 25 0a0b0c0d"), edited.without(99).toBytes());
    }

    @Test
    void anInnerMessageIsReplacedInItsPlace() throws IOException {
        ProtoMessage message =
                ProtoMessage.empty()
                        .with(1, "before")
                        .with(2, ProtoMessage.empty().with(1, 1))
                        .with(3, "after");
        ProtoMessage changed = message.replacing(2, ProtoMessage.empty().with(1, 2));
        assertEquals(OptionalLong.of(2), changed.messages(2).getFirst().number(1));
        assertArrayEquals(
                message.toBytes(), changed.replacing(2, ProtoMessage.empty().with(1, 1)).toBytes());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "08", // a key without its number
                "08 ff ff", // a number that goes on after the end
                "08 ff ff ff ff ff ff ff ff ff ff 01", // a number of more than 64 bits
                "1a 05 61 62", // fewer bytes than counted
                "1a ff ff ff ff ff ff ff ff ff 01", // a negative length
                "1a ff ff ff ff 0f", // a length of 4 GB
                "11 01 02 03", // a cut fixed64
                "25 01", // a cut fixed32
                "0b 08 01 0c", // groups, which proto3 no longer has
                "00 01", // field 0
                "0e", // wire type 6
            })
    void malformedMessagesAreRefused(String hex) {
        assertThrows(IOException.class, () -> ProtoMessage.parse(bytes(hex)));
    }

    @Test
    void aMalformedInnerMessageIsRefusedWhenItIsRead() throws IOException {
        ProtoMessage outer = ProtoMessage.parse(bytes("1a 01 08"));
        assertThrows(IOException.class, () -> outer.messages(3));
    }

    /** Whatever a hostile image holds: a refusal, or a message that can be written again. */
    @Test
    void randomBytesAreRefusedOrRead() {
        Random random = new Random(4711);
        int read = 0;
        for (int round = 0; round < 100_000; round++) {
            byte[] bytes = new byte[random.nextInt(24)];
            random.nextBytes(bytes);
            try {
                byte[] written = ProtoMessage.parse(bytes).toBytes();
                assertArrayEquals(written, ProtoMessage.parse(written).toBytes());
                read++;
            } catch (IOException e) {
                // refused, as it should
            }
        }
        assertEquals(true, read > 1000, "hardly any was well-formed: " + read);
    }

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }
}
