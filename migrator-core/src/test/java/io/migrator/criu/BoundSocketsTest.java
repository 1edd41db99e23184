package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

class BoundSocketsTest {
    private static final long MAGIC = 0x5630_3031_5644_6e20L;
    private static final int SOCKET = 4;
    private static final int SOURCE = 11;

    /** 10.77.0.1 and fd77::1 as a machine that reads the low byte first reads their bytes. */
    private static final List<Long> FOUR = List.of(0x0100_4d0aL);

    private static final List<Long> SIX = List.of(0x0000_77fdL, 0L, 0L, 0x0100_0000L);

    private static final Map<String, String> MOVES =
            Map.of("10.77.0.1", "10.77.0.2", "fd77:0:0:0:0:0:0:1", "fd77:0:0:0:0:0:0:2");

    @TempDir private Path images;
    private Path file;

    @BeforeEach
    void name() {
        file = images.resolve("files.img");
    }

    /** Type, id, and the socket in field 4 as criu's fdinfo.proto has it. */
    private static ProtoMessage socket(List<Long> source, int peerPort) {
        ProtoMessage socket = ProtoMessage.empty().with(1, 7).with(7, 7000).with(8, peerPort);
        for (long word : source) {
            socket = socket.with(SOURCE, word);
        }
        socket = socket.with(13, ProtoMessage.empty().with(1, 0));
        return ProtoMessage.empty().with(1, 4).with(2, 7).with(SOCKET, socket);
    }

    private List<Long> sourceOf(int entry) throws IOException {
        ProtoMessage changed = ImageFile.read(file).entries().get(entry);
        return changed.messages(SOCKET).getFirst().numbers(SOURCE);
    }

    @Test
    void whatWaitsAtAnAddressWaitsAtTheOther() throws IOException {
        ProtoMessage pipe = ProtoMessage.empty().with(1, 2).with(2, 3).with(18, "kept");
        new ImageFile(MAGIC, List.of(socket(FOUR, 0), pipe, socket(SIX, 0))).write(file);

        assertEquals(2, BoundSockets.move(images, MOVES));

        assertEquals(List.of(0x0200_4d0aL), sourceOf(0));
        assertEquals(List.of(0x0000_77fdL, 0L, 0L, 0x0200_0000L), sourceOf(2));
        ProtoMessage first = ImageFile.read(file).entries().getFirst();
        assertEquals(7000, first.messages(SOCKET).getFirst().number(7).orElseThrow());
        assertArrayEquals(pipe.toBytes(), ImageFile.read(file).entries().get(1).toBytes());
    }

    @Test
    void aMappedAddressStaysMapped() throws IOException {
        List<Long> mapped = List.of(0L, 0L, 0xffff_0000L, FOUR.getFirst());
        new ImageFile(MAGIC, List.of(socket(mapped, 0))).write(file);

        assertEquals(1, BoundSockets.move(images, MOVES));

        assertEquals(List.of(0L, 0L, 0xffff_0000L, 0x0200_4d0aL), sourceOf(0));
    }

    @Test
    void connectionsAndOtherAddressesStay() throws IOException {
        new ImageFile(
                        MAGIC,
                        List.of(socket(FOUR, 443), socket(List.of(0L), 0), socket(List.of(), 0)))
                .write(file);
        byte[] before = Files.readAllBytes(file);

        assertEquals(0, BoundSockets.move(images, MOVES));

        assertArrayEquals(before, Files.readAllBytes(file));
    }

    @Test
    void withoutMovesNothingIsRead() throws IOException {
        assertEquals(0, BoundSockets.move(images, Map.of()));
    }
}
