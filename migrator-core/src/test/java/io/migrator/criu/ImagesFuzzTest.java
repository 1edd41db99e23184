package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.Heap;
import io.migrator.fuzz.InMemory;
import io.migrator.instance.Instance;
import io.migrator.instance.StartOptions;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Images come from another node, and what is in them from a job: whatever they hold is read or
 * refused, and takes memory for what they are long, not for what they say.
 */
class ImagesFuzzTest {
    private static final long SMALL_BYTES = 2 << 20;
    private static final int TIMES = 2000;
    private static final int PAGE_BYTES = 4096;

    /** One of IPv4 and one of IPv6, as a move with {@code --rebind} has them. */
    private static final Map<String, String> MOVES =
            Map.of("0.0.0.1", "10.0.0.2", "0:0:0:0:0:0:0:1", "fd00:0:0:0:0:0:0:2");

    @TempDir(factory = InMemory.class)
    private static Path directory;

    private static Instance self;

    /** What reads an image, and what must hold then. */
    private interface Reading {
        void of(Path images) throws IOException, Problem;
    }

    private record Reader(String image, Reading reading) {}

    private static final List<Reader> READERS =
            List.of(
                    new Reader("mm-1.img", ImagesFuzzTest::maps),
                    new Reader("pagemap-1.img", ImagesFuzzTest::pages),
                    new Reader("files.img", ImagesFuzzTest::sockets),
                    new Reader("files.img", ImagesFuzzTest::timers),
                    new Reader("core-1.img", ImagesFuzzTest::deathSignals),
                    new Reader("core-1.img", ImagesFuzzTest::lateSignals),
                    new Reader("core-1.img", images -> ImageOwner.orForeign(images, self)),
                    new Reader("pstree.img", images -> Parents.of(images)),
                    new Reader("pstree.img", ImagesFuzzTest::summary),
                    new Reader("files.img", ImagesFuzzTest::summary),
                    new Reader("mm-1.img", ImagesFuzzTest::summary),
                    new Reader("core-1.img", ImagesFuzzTest::summary),
                    new Reader("filelocks.img", images -> DumpedLocks.of(images)),
                    new Reader("pagemap-1.img", ImagesFuzzTest::emptyParent));

    @BeforeAll
    static void lookAtSelf() throws IOException {
        Proc own = Proc.self();
        StartOptions start = new StartOptions("/i.sif", List.of(), Map.of(), List.of());
        self =
                new Instance(
                        "job", "me", own.pid(), own.startTime(), Path.of("/i.sif"), false, start);
    }

    @Timeout(60)
    @FuzzTest
    void imagesAreReadOrRefused(FuzzedDataProvider data) throws IOException {
        Reader reader = data.pickValue(READERS);
        byte[] image = ImageDraft.of(data);
        Path file = directory.resolve(reader.image);
        Files.write(file, image);
        try {
            Heap.within(
                    SMALL_BYTES + (long) TIMES * image.length,
                    () -> {
                        try {
                            reader.reading.of(directory);
                        } catch (IOException | Problem e) {
                            // refused
                        }
                    });
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static void maps(Path images) throws IOException {
        MemoryMap map = MemoryMap.all(images).get(1);
        long before = 0;
        for (MemoryMap.Area each : map.areas()) {
            if (each.isOwnMemory()) {
                assertTrue(each.start() >= before && each.start() < each.end());
                assertTrue(each.end() <= MemoryMap.ADDRESSES);
                assertTrue(each.start() % PAGE_BYTES == 0 && each.end() % PAGE_BYTES == 0);
                assertTrue(map.holds(each.start()));
                before = each.end();
            }
        }
    }

    private static void pages(Path images) throws IOException {
        EagerPages.make(images);
        for (ProtoMessage each : ImageFile.read(images.resolve("pagemap-1.img")).entries()) {
            assertEquals(0, each.number(4).orElse(0) & 2);
        }
    }

    private static void sockets(Path images) throws IOException {
        BoundSockets.move(images, MOVES);
        assertEquals(0, BoundSockets.move(images, MOVES));
    }

    private static void timers(Path images) throws IOException {
        ExpiredTimers.arm(images);
        assertEquals(0, ExpiredTimers.arm(images));
    }

    private static void deathSignals(Path images) throws IOException {
        DeathSignals.clear(images, List.of(1));
        assertEquals(0, DeathSignals.clear(images, List.of(1)));
    }

    private static void lateSignals(Path images) throws IOException {
        Path core = images.resolve("core-1.img");
        long all = -1;
        int kept = LateSignals.keep(core, 1, all, all, JobTimers.in(core));
        assertTrue(kept >= 0 && kept <= 2 * 5 * Long.SIZE, () -> kept + " signals");
        ImageFile.read(core);
    }

    /** With images of one process in the place of those that it needs and that are not there. */
    private static void summary(Path images) throws IOException {
        byte[] process = ProtoMessage.empty().with(1, 1).toBytes();
        ByteBuffer one = ByteBuffer.allocate(Long.BYTES + Integer.BYTES + process.length);
        one.order(ByteOrder.LITTLE_ENDIAN).putLong(0).putInt(process.length).put(process);
        List<Path> made = new ArrayList<>();
        try {
            for (String name : List.of("pstree.img", "files.img")) {
                Path image = images.resolve(name);
                if (!Files.exists(image)) {
                    made.add(Files.write(image, one.array()));
                }
            }
            DumpSummary summary = DumpSummary.of(images);
            assertFalse(summary.toString().chars().anyMatch(Character::isISOControl));
        } finally {
            for (Path each : made) {
                Files.delete(each);
            }
        }
    }

    private static void emptyParent(Path images) throws IOException {
        Path parent = images.resolve("parent");
        Path made = parent.resolve("pagemap-1.img");
        try {
            EmptyParent.make(images);
            assertTrue(Files.size(made) < PAGE_BYTES);
        } finally {
            Files.deleteIfExists(made);
            Files.deleteIfExists(parent);
        }
    }
}
