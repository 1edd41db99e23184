package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What pstree.img says of who forks whom. */
class ParentsTest {
    @TempDir private Path images;

    /** Each process by its pid, its parent's, and its session. */
    private Map<Integer, Integer> of(long[]... processes) throws IOException {
        List<ProtoMessage> entries = new ArrayList<>();
        for (long[] each : processes) {
            entries.add(
                    ProtoMessage.empty()
                            .with(1, each[0])
                            .with(2, each[1])
                            .with(3, each[2])
                            .with(4, each[2]));
        }
        new ImageFile(0, entries).write(images.resolve("pstree.img"));
        return Parents.of(images);
    }

    @Test
    void whoIsInItsParentsSessionOrInItsOwn() throws IOException {
        long[] root = {5, 0, 5};
        long[] child = {6, 5, 5};
        long[] leader = {7, 6, 7};
        long[] adopted = {8, 5, 7}; // of the session of 7, by which criu has it forked
        assertEquals(Map.of(6, 5, 7, 6), of(root, child, leader, adopted));
    }

    @Test
    void nonsense() {
        assertThrows(IOException.class, () -> of(new long[] {5, 0, 5}, new long[] {5, 5, 5}));
        assertThrows(IOException.class, () -> of(new long[] {1L << 40, 0, 5}));
    }

    @Test
    void nobodyIsItsOwnParent() throws IOException {
        assertEquals(Map.of(), of(new long[] {5, 5, 5}, new long[] {6, 7, 5}));
    }
}
