package io.migrator.criu;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** An image of criu's as a fuzzer would have it: whole messages of odd contents, or any bytes. */
final class ImageDraft {
    private static final int MOST_ENTRIES = 5;
    private static final int MOST_FIELDS = 12;
    private static final int DEPTH = 4;
    private static final long[] NUMBERS = {0, 1, 2, 3, 4, 7, 14, 0x22, 0x122, 512, 513, 4096, -1};

    private ImageDraft() {}

    static byte[] of(FuzzedDataProvider data) {
        if (data.consumeInt(0, 9) == 0) {
            return data.consumeBytes(data.consumeInt(0, 4096));
        }
        List<byte[]> entries = new ArrayList<>();
        int count = data.consumeInt(0, MOST_ENTRIES);
        for (int each = 0; each < count; each++) {
            entries.add(message(data, DEPTH).toBytes());
        }
        int length = entries.stream().mapToInt(each -> Integer.BYTES + each.length).sum();
        ByteBuffer image = ByteBuffer.allocate(Long.BYTES + length + 1);
        image.order(ByteOrder.LITTLE_ENDIAN).putLong(data.consumeLong());
        entries.forEach(each -> image.putInt(each.length).put(each));
        int behind = data.consumeInt(0, 9) == 0 ? 1 : 0;
        byte[] bytes = new byte[image.position() + behind];
        image.get(0, bytes);
        return bytes;
    }

    private static ProtoMessage message(FuzzedDataProvider data, int depth) {
        ProtoMessage message = ProtoMessage.empty();
        int fields = data.consumeInt(0, MOST_FIELDS);
        for (int each = 0; each < fields && data.remainingBytes() > 0; each++) {
            int id = data.consumeInt(1, 19);
            message =
                    switch (data.consumeInt(0, 4)) {
                        case 0 -> message.with(id, data.pickValue(NUMBERS));
                        case 1 -> message.with(id, 4096 * data.consumeLong(-1, 1L << 45));
                        case 2 -> message.with(id, data.consumeLong());
                        case 3 -> message.with(id, data.consumeBytes(data.consumeInt(0, 140)));
                        default ->
                                depth == 0
                                        ? message.with(id, "")
                                        : message.with(id, message(data, depth - 1));
                    };
        }
        return message;
    }
}
