package io.migrator.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.code_intelligence.jazzer.junit.DictionaryFile;
import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.Heap;
import io.migrator.fuzz.InMemory;
import io.migrator.fuzz.Whole;
import io.migrator.network.InterfaceAddress;
import io.migrator.network.NetworkPlan;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * What lies at the place of a journal is one or is refused, and one that is read lacks nothing. The
 * first byte of an input says what is put around the rest: nothing, or the first line and the
 * checksum of a source or a target.
 */
class JournalFuzzTest {
    private static final String ID = "m1";
    private static final int BARE = 0;
    private static final int SOURCE = 1;
    private static final int TARGET = 2;
    private static final int KINDS = 3;
    private static final long SMALL_BYTES = 512 << 10;
    private static final int TIMES = 400;

    @TempDir(factory = InMemory.class)
    private static Path directory;

    static Stream<byte[]> seeds() throws Exception {
        Journal.Head head =
                new Journal.Head(
                        Journal.Role.SOURCE, ID, new Token("0".repeat(32)), "aa-1", "bb-2");
        NetworkPlan plan =
                new NetworkPlan(
                        NetworkPlan.Mode.SERVICE_IP,
                        List.of(new InterfaceAddress("10.0.0.1", 24, "eth0")),
                        null,
                        List.of());
        Seal.Note seal = new Seal.Note("/sys/fs/cgroup/m1", List.of(new Seal.Member(1, 2, true)));
        SourceJournal.Note source =
                new SourceJournal.Note(
                        Handover.Source.SEALED,
                        "job",
                        7,
                        8,
                        seal,
                        new Running(5, 6),
                        new SourceJournal.Far("n2", "auto", "migrator"),
                        true,
                        plan);
        TargetJournal.Note target =
                TargetJournal.Note.of("job", true, false, plan, new TargetJournal.Promise(4, 5));
        return Stream.of(
                written(SOURCE, head, source),
                written(TARGET, head, target),
                ("\1{}").getBytes(StandardCharsets.UTF_8),
                ("\2{}").getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] written(int kind, Journal.Head head, Object note) throws Exception {
        Path place = directory.resolve("seeds");
        try (Journal journal = Journal.create(place, ID)) {
            journal.write(head, note);
            String body = Files.readAllLines(place.resolve(ID)).get(1);
            journal.delete();
            return ((char) kind + body).getBytes(StandardCharsets.UTF_8);
        }
    }

    @MethodSource("seeds")
    @DictionaryFile(resourcePath = "journal.dict")
    @Timeout(60)
    @FuzzTest
    void journalsAreReadOrRefused(byte[] input) throws Exception {
        if (input.length == 0) {
            return;
        }
        int kind = Math.floorMod(input[0], KINDS);
        Path place = Files.createDirectories(directory.resolve("journals"));
        Files.write(place.resolve(ID), file(kind, Arrays.copyOfRange(input, 1, input.length)));
        try (Journal journal = Journal.openOrCreate(place, ID).orElseThrow()) {
            Heap.within(SMALL_BYTES + (long) TIMES * input.length, () -> read(journal));
            if (kind == SOURCE) {
                source(SourceJournal.read(journal));
            }
            if (kind == TARGET) {
                target(TargetJournal.read(journal));
            }
        } catch (IOException e) {
            // refused
        }
    }

    private static void read(Journal journal) {
        try {
            assertEquals(ID, journal.contents().head().id());
        } catch (IOException e) {
            // refused
        }
    }

    private static byte[] file(int kind, byte[] rest) {
        if (kind == BARE) {
            return rest;
        }
        String role = kind == SOURCE ? "source" : "target";
        String head = "migrator 1 %s %s %s aa-1 bb-2".formatted(role, ID, "0".repeat(32));
        String text = head + "\n" + new String(rest, StandardCharsets.UTF_8) + "\n";
        CRC32C sum = new CRC32C();
        sum.update(text.getBytes(StandardCharsets.UTF_8));
        return (text + Long.toHexString(sum.getValue()) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private static void source(SourceJournal journal) throws Exception {
        Whole.orLacking(journal.note());
        Seal.of(journal.note().seal(), "migrator-" + ID).close();
        journal.note().network().locks();
        for (Handover.SourceEvent each : Handover.SourceEvent.values()) {
            ruled(() -> Handover.next(journal.state(), each));
        }
    }

    private static void target(TargetJournal journal) throws Exception {
        Whole.orLacking(journal.note());
        journal.note().network().locks();
        journal.note().appinit().alive();
        for (Handover.TargetEvent each : Handover.TargetEvent.values()) {
            ruled(() -> Handover.next(journal.state(), each));
        }
    }

    private static void ruled(Supplier<Record> step) throws ReflectiveOperationException {
        try {
            Whole.orLacking(step.get());
        } catch (IllegalStateException e) {
            // there is no such step
        }
    }
}
