package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/**
 * Memory of every kind, changed in every way, as a seed wants it (mix.c): every page is right after
 * a move. {@code -Dmix.seed=N} does that one, {@code -Dmixes=200} so many, {@code -Dmix.way=hybrid}
 * all in that way.
 */
class MixIT {
    private static final Path HUGE_PAGES = Path.of("/proc/sys/vm/nr_hugepages");
    private static final List<String> WAYS =
            List.of("stop", "precopy", "precopy", "hybrid", "hybrid");
    private static final List<String> TRACKS = List.of("protect", "protect", "hash");
    private static String hugeBefore = "0";

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    /** Both nodes have one kernel: what a job of mix wants, twice. */
    @BeforeAll
    static void hugePages() throws IOException {
        hugeBefore = Files.readString(HUGE_PAGES).strip();
        Files.writeString(HUGE_PAGES, "400");
    }

    @AfterAll
    static void asBefore() throws IOException {
        Files.writeString(HUGE_PAGES, hugeBefore);
    }

    static LongStream few() {
        return seeds(3);
    }

    static LongStream many() {
        return seeds(Integer.getInteger("mixes", 200));
    }

    private static LongStream seeds(int count) {
        long one = Long.getLong("mix.seed", 0);
        return one > 0 ? LongStream.of(one) : new Random().longs(count, 1, 1_000_000_000);
    }

    @ParameterizedTest
    @MethodSource("few")
    void everyPageIsRight(long seed) throws Exception {
        move(seed);
    }

    @Tag("long")
    @ParameterizedTest
    @MethodSource("many")
    void everyPageOfManyIsRight(long seed) throws Exception {
        move(seed);
    }

    private static void move(long seed) throws Exception {
        Random random = new Random(seed);
        String from = random.nextBoolean() ? N1 : N2;
        String to = TwoNodes.other(from);
        String file = NODES.reportOf("mix");
        List<String> command =
                new ArrayList<>(List.of("/shared/bin/mix", "--seed", "" + seed, "--report", file));
        if (random.nextInt(3) == 0) {
            command.add("--hugetlb");
        }
        String way = WAYS.get(random.nextInt(WAYS.size()));
        way = System.getProperty("mix.way", way);
        if (!way.equals("hybrid")) { // there the kernel puts late pages in their place: 0020
            command.add("--guards");
        }
        NODES.start(from, "mix", List.of(), command.toArray(String[]::new));
        NODES.awaitFile(from, file);
        Thread.sleep(random.nextInt(300));
        String track = TRACKS.get(random.nextInt(TRACKS.size()));
        System.out.printf("mix: %s, %s, %s%n", String.join(" ", command), way, track);
        if (way.equals("hybrid")) { // that something follows, and for a while
            NODES.link(from, "rate", "200mbit");
        }
        Moved moved = NODES.migrate(from, "mix", "--memory", way, "--track", track);
        assertEquals(0, moved.exit(), moved.err());
        NODES.link(from, "rate", "none");
        if (way.equals("hybrid")) {
            System.out.println("mix: followed: " + moved.json().path("lateBytes").asLong());
        }
        JsonNode report = NODES.report(to, "mix", "USR2");
        assertEquals("", report.path("first").asText(), report::toString);
        assertEquals(0, report.path("bad").asInt(), report::toString);
        assertTrue(report.path("heirs").asInt() > 0, report::toString);
        assertEquals(0, report.path("badHeirs").asInt(), report::toString);
        NODES.stop(to, "mix");
    }
}
