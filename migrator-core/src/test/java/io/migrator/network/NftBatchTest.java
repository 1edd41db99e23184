package io.migrator.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.migrator.network.NftBatch.Family;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

class NftBatchTest {
    private static final int END = 0x11;
    private static final int ACKNOWLEDGE = 4;

    private record Message(int length, int type, int flags, int sequence) {}

    private static List<Message> messages(NftBatch batch) {
        ByteBuffer all = ByteBuffer.wrap(batch.bytes()).order(ByteOrder.nativeOrder());
        List<Message> found = new ArrayList<>();
        while (all.hasRemaining()) {
            int at = all.position();
            Message each =
                    new Message(
                            all.getInt(at),
                            all.getShort(at + 4),
                            all.getShort(at + 6),
                            all.getInt(at + 8));
            found.add(each);
            all.position(at + each.length);
        }
        return found;
    }

    @Test
    void onlyTheLastChangeIsAcknowledged() {
        NftBatch batch =
                new NftBatch()
                        .add(Family.INET, "t", "own4", List.of(new byte[] {10, 0, 0, 1}))
                        .accept(Family.ARP, "t", "in");
        List<Message> found = messages(batch);
        assertEquals(4, found.size());
        assertEquals(END, found.getLast().type);
        for (int i = 0; i < found.size(); i++) {
            assertEquals(i, found.get(i).sequence);
            assertEquals(i == 2, (found.get(i).flags & ACKNOWLEDGE) != 0, "message " + i);
        }
        assertEquals(2, batch.last());
        assertArrayEquals(batch.bytes(), batch.bytes(), "asked twice");
    }

    @Test
    void whatAddsNothingIsNoChange() {
        NftBatch batch = new NftBatch().add(Family.INET, "t", "own4", List.of());
        assertEquals(0, batch.last());
    }

    @Test
    void attributesAreAlignedAndNested() {
        NftBatch batch = new NftBatch().add(Family.INET, "tab", "s", List.of(new byte[4]));
        ByteBuffer all = ByteBuffer.wrap(batch.bytes()).order(ByteOrder.nativeOrder());
        int at = 20 + 20; // after the beginning, and the head of the change
        assertEquals(8, all.getShort(at), "table, with its end");
        assertEquals(6, all.getShort(at + 8), "set, before padding");
        int elements = at + 16;
        assertEquals(4 + 4 + 4 + 8, all.getShort(elements));
        assertEquals((short) 0x8003, all.getShort(elements + 2));
        assertEquals(8, all.getShort(elements + 12), "the key");
        assertEquals(all.getInt(20), elements + 20 - 20);
    }
}
