package io.migrator.archive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.handover.Handover;
import io.migrator.handover.Token;
import io.migrator.instance.ImageIdentity;
import io.migrator.instance.StartOptions;
import io.migrator.linux.Clocks;
import io.migrator.memory.PageRange;
import io.migrator.migration.Needs;
import io.migrator.migration.NetworkNeeds;
import io.migrator.migration.Order;
import io.migrator.migration.Survey;
import io.migrator.network.NetworkPlan;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;
import io.migrator.wire.Compression;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameWriter;
import io.migrator.wire.StreamKind;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** Archives that are whole, damaged, forged, on each other, and of writers that are dead. */
class ArchiveTest {
    private static final int PAGE = 4096;
    private static final int DAMAGES = 300;
    private static final String PROGRAM = "migrator (test)";

    @TempDir Path directory;
    private Path file;

    @BeforeEach
    void name() {
        file = directory.resolve("job.mig");
    }

    static Order order(String id) {
        return new Order(
                id,
                Token.fresh(),
                "b",
                "job",
                new StartOptions("/i.sif", List.of(), Map.of(), List.of()),
                List.of(25),
                List.of(),
                List.of(),
                new Clocks(5, 6),
                NetworkPlan.NONE,
                0,
                false,
                List.of(),
                null);
    }

    private static Survey survey() {
        return new Survey(
                "job",
                new ImageIdentity("/i.sif", "a", 1, "2.0", 3, "d".repeat(64)),
                "4.2.1",
                new byte[] {1},
                new NetworkNeeds(
                        NetworkPlan.NONE, List.of(), List.of(), List.of(), Map.of(), false),
                false,
                Map.of(),
                new Needs(0, PAGE));
    }

    private static ByteBuffer pages(int count, long seed) {
        byte[] bytes = new byte[count * PAGE];
        new SplittableRandom(seed).nextBytes(bytes);
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    /** One with an image, and three pages of which one comes twice. */
    static ArchiveTarget written(
            Path to, String migration, ArchiveHead.@Nullable Parent parent, boolean takes)
            throws Exception {
        ArchiveTarget target = new ArchiveTarget(to, false, parent, PROGRAM, Compression.AUTO);
        target.survey(survey());
        target.prepare(order(migration));
        target.padding(pages(1, 0));
        target.pages(25, List.of(new PageRange(PAGE, 2 * PAGE)), pages(1, 1));
        target.pages(
                25,
                List.of(new PageRange(PAGE, 2 * PAGE), new PageRange(8 * PAGE, 9 * PAGE)),
                pages(2, 2));
        target.zeros(25, new PageRange(16 * PAGE, 17 * PAGE));
        target.open(0, "inventory.img");
        target.data(0, 0, ByteBuffer.wrap(new byte[] {1, 2, 3}));
        target.end(0, 3);
        target.frozen();
        target.restore(List.of());
        target.load(3 * PAGE);
        if (takes) {
            target.take();
        }
        return target;
    }

    @Test
    void whatIsWrittenIsRead() throws Exception {
        ArchiveTarget target = written(file, "m1", null, true);
        target.discard(); // which comes too late
        target.close();
        ArchiveReader.Contents contents = new ArchiveReader(file).orForeign().contents();
        assertEquals("job", contents.head().instance());
        assertEquals(PROGRAM, contents.head().program());
        assertEquals(3 * PAGE, contents.pageBytes());
        assertEquals(PAGE, contents.zeroBytes());
        assertEquals(3, contents.fileBytes());
        assertEquals("4.2.1", contents.kept().survey().criuVersion());
        assertEquals("m1", contents.kept().order().id());
        assertEquals("rw-------", permissions(file));
        Path images = Files.createDirectory(directory.resolve("images"));
        new ArchiveReader(file).images(images);
        assertArrayEquals(
                new byte[] {1, 2, 3}, Files.readAllBytes(images.resolve("inventory.img")));
    }

    private static String permissions(Path of) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(of));
    }

    @Test
    void itHasItsNameWhenItIsTakenAndNoneIfItIsNot() throws Exception {
        try (ArchiveTarget target = written(file, "m1", null, false)) {
            assertFalse(Files.exists(file));
            assertTrue(Files.exists(ArchiveFile.part(file, "m1")));
            target.discard();
        }
        assertEquals(List.of(), names());
    }

    private List<String> names() throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.map(each -> each.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void anotherFileIsNotReplacedUnasked() throws Exception {
        Files.writeString(file, "other");
        try (ArchiveTarget target =
                new ArchiveTarget(file, false, null, PROGRAM, Compression.NONE)) {
            Problem problem = assertThrows(Problem.class, () -> target.survey(survey()));
            assertEquals(ExitCode.REFUSED, problem.exitCode());
        }
        assertEquals("other", Files.readString(file));
    }

    /** Every damage is found, wherever it is, and where is told. */
    @Test
    void damageIsFound() throws Exception {
        written(file, "m1", null, true).close();
        byte[] whole = Files.readAllBytes(file);
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < DAMAGES; i++) {
            byte[] damaged = whole.clone();
            damaged[i < 64 ? i : random.nextInt(whole.length)] ^=
                    (byte) (1 << random.nextInt(Byte.SIZE));
            assertRefused(damaged);
            assertRefused(Arrays.copyOf(whole, random.nextInt(whole.length)));
        }
        assertRefused(Arrays.copyOf(whole, whole.length + 1));
    }

    private void assertRefused(byte[] bytes) throws Exception {
        Path damaged = directory.resolve("damaged");
        Files.write(damaged, bytes);
        Problem problem = assertThrows(Problem.class, () -> new ArchiveReader(damaged).contents());
        assertEquals(ExitCode.REFUSED, problem.exitCode());
        assertTrue(problem.because().contains("at byte"), problem.because());
    }

    /** All frames are right, but what they say is not. */
    @Test
    void whatSaysTooLittleOrTooMuchIsRefused() throws Exception {
        ArchiveHead head = new ArchiveHead(Token.fresh(), null, 1, "n1", "job", PROGRAM);
        Frame.Control begin = Entry.frame(Entry.Kind.HEAD, head);
        assertNonsense("does not begin with a head", Entry.frame(Entry.Kind.LOAD, 1));
        assertNonsense("no digest", begin);
        assertNonsense("digest is not that", begin, Entry.frame(Entry.Kind.DIGEST, "00"));
        assertNonsense("no images", begin, Entry.frame(Entry.Kind.LOAD, 1));
        assertNonsense("kind", begin, Frame.Control.of("{}"));
        assertNonsense("", begin, Frame.Control.of("{\"kind\":\"WHAT\",\"body\":1}"));
        assertNonsense("", begin, Frame.Control.of("[".repeat(5000)));
    }

    private void assertNonsense(String because, Frame... frames) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        FrameWriter out = new FrameWriter(bytes, Compression.NONE, StreamKind.ARCHIVE);
        for (Frame each : frames) {
            out.write(each);
        }
        out.write(new Frame.End());
        Files.write(file, bytes.toByteArray());
        Problem problem = assertThrows(Problem.class, () -> new ArchiveReader(file).contents());
        assertEquals(ExitCode.REFUSED, problem.exitCode());
        assertTrue(problem.because().contains(because), problem.because());
    }

    @Test
    void aParentIsBesideItAndHasItsId() throws Exception {
        ArchiveTarget first = written(directory.resolve("a"), "m1", null, true);
        ArchiveTarget second = written(directory.resolve("b"), "m2", first.asParent(), true);
        written(directory.resolve("c"), "m3", second.asParent(), true);
        assertEquals(
                List.of("a", "b", "c"),
                new ArchiveReader(directory.resolve("c"))
                        .chain().stream()
                                .map(each -> each.file().getFileName().toString())
                                .toList());
        Files.delete(directory.resolve("a"));
        ArchiveReader last = new ArchiveReader(directory.resolve("c"));
        assertTrue(assertThrows(Problem.class, last::chain).because().contains("does not exist"));
        written(directory.resolve("a"), "m4", null, true);
        assertTrue(assertThrows(Problem.class, last::chain).because().contains("another one"));
        for (String name : List.of("../a", ".a", "", "a\nb", "/etc/passwd")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new ArchiveHead.Parent(name, Token.fresh()));
        }
    }

    @Test
    void theShelfKeepsTheNewestAndWhatTheyBuildOn() throws Exception {
        ArchiveShelf shelf = new ArchiveShelf(file, 2);
        ArchiveHead.Parent parent = null;
        for (int i = 1; i <= 7; i++) { // 1 and 5 have all
            Path next = shelf.next();
            ArchiveTarget made = written(next, "m" + i, i == 5 ? null : parent, true);
            parent = made.asParent();
            shelf.put(next);
            if (i == 4) {
                assertEquals(5, names().size());
            }
        }
        assertEquals(
                List.of("job.mig", "job.mig.000005", "job.mig.000006", "job.mig.000007"), names());
        assertEquals(directory.resolve("job.mig.000007").toRealPath(), file.toRealPath());
        Files.delete(file);
        Files.writeString(file, "no link");
        assertEquals(ExitCode.REFUSED, assertThrows(Problem.class, shelf::next).exitCode());
    }

    @Test
    void aDeadWritersArchiveIsWholeOrNothing() throws Exception {
        Order order = order("m1");
        ArchiveNode node = new ArchiveNode(file);
        assertEquals(Handover.Target.NONE, node.status("m1", order.token()).state());
        ArchiveTarget target = new ArchiveTarget(file, false, null, PROGRAM, Compression.NONE);
        target.survey(survey());
        target.prepare(order);
        assertEquals(Handover.Target.PREPARED, node.status("m1", order.token()).state());
        assertEquals(Handover.Target.REFUSED, node.refuse("m1", order.token()).state());
        assertEquals(List.of(), names());

        ArchiveTarget again = new ArchiveTarget(file, false, null, PROGRAM, Compression.NONE);
        again.survey(survey());
        again.prepare(order);
        again.restore(List.of());
        again.load(0);
        again.take();
        assertEquals(Handover.Target.RUNNING, node.refuse("m1", order.token()).state());
        assertEquals(Handover.Target.REFUSED, node.refuse("m1", Token.fresh()).state());
        assertEquals(List.of("job.mig"), names());
    }

    @Test
    void whatOthersCouldHaveWrittenIsRefused() throws Exception {
        written(file, "m1", null, true).close();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw----"));
        Problem problem = assertThrows(Problem.class, () -> new ArchiveReader(file).orForeign());
        assertEquals(ExitCode.REFUSED, problem.exitCode());
        assertTrue(problem.tryThis().contains("chmod"), problem.tryThis());
    }
}
