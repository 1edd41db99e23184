package io.migrator.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.linux.ExtendedAttributes;
import io.migrator.linux.FileState;
import io.migrator.linux.HeldDirectory;
import io.migrator.linux.User;
import io.migrator.memory.JobSink;
import io.migrator.memory.PageRange;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;

/** Files that leave and arrive, both on this node. */
class CarriedFilesTest {
    private static final String ID = "m1";
    private static final int PAGE = 4096;
    private static final int MODE = 0640;

    /** u::rw-, u:1234:rw-, g::r--, m::rw-, o::--- as linux/posix_acl_xattr.h has it. */
    private static final String USER_1234_MAY_WRITE =
            Base64.getEncoder()
                    .encodeToString(
                            HexFormat.of()
                                    .parseHex(
                                            "02000000"
                                                    + "01000600ffffffff"
                                                    + "02000600d2040000"
                                                    + "04000400ffffffff"
                                                    + "10000600ffffffff"
                                                    + "20000000ffffffff"));

    @TempDir private Path directory;
    private Path from;
    private Path to;
    private Path spool;
    private final LeavingFiles leaving = new LeavingFiles(Path.of("/"));
    private ArrivingFiles arriving;

    /** What leaves arrives. */
    private final class Line implements JobSink {
        private final Map<Integer, Integer> numbers = new HashMap<>();
        private final Map<Integer, Long> reaches = new HashMap<>();
        private long bytes;

        @Override
        public void open(int id, String name) {
            numbers.put(id, Objects.requireNonNull(LeavingFiles.numberOf(name)));
        }

        @Override
        public void data(int id, long offset, ByteBuffer data) throws Problem {
            bytes += data.remaining();
            reaches.merge(id, offset + data.remaining(), Math::max);
            arriving.data(numbers.get(id), offset, data);
        }

        @Override
        public void end(int id, long length) throws Problem {
            assertTrue(length >= reaches.getOrDefault(id, 0L)); // the wire's rule
            reaches.remove(id);
            arriving.end(numbers.remove(id), length);
        }

        @Override
        public void pages(int pid, List<PageRange> places, ByteBuffer data) {
            throw new AssertionError();
        }

        @Override
        public void zeros(int pid, PageRange place) {
            throw new AssertionError();
        }

        @Override
        public void padding(ByteBuffer data) {
            throw new AssertionError();
        }

        @Override
        public long sentBytes() {
            return bytes;
        }
    }

    private final Line line = new Line();

    @BeforeEach
    void make() throws IOException {
        Path real = directory.toRealPath();
        from = Files.createDirectory(real.resolve("from"));
        to = real.resolve("to");
        spool = Files.createDirectory(real.resolve("spool"));
        arriving = new ArrivingFiles(ID, spool);
    }

    @AfterEach
    void close() throws IOException {
        leaving.close();
        arriving.close();
    }

    private static UsedFile used(Path file) throws IOException {
        return new UsedFile(
                file.toString(), file, UsedFile.Use.MAPPABLE, "a test", file, FileState.of(file));
    }

    private Path there(Path file) {
        return to.resolve(from.relativize(file));
    }

    /** The target has another directory. */
    private void carry(Path file, boolean replaces) throws Exception {
        CarriedFile carried = leaving.add(used(file), replaces);
        arriving.make(
                List.of(
                        CarriedFile.directory(leaving.nextNumber(), false, to, from),
                        new CarriedFile(
                                carried.number(),
                                false,
                                there(file).toString(),
                                CarriedFile.Kind.FILE,
                                "",
                                carried.mode(),
                                carried.uid(),
                                carried.gid(),
                                replaces)));
    }

    private long pass() throws Exception {
        return leaving.pass(line, true, () -> {});
    }

    private void assertArrived(Path file) throws Exception {
        arriving.place(leaving.placed(List.of()));
        assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(there(file)));
        FileState here = FileState.of(file);
        FileState there = FileState.of(there(file));
        assertEquals(here.permissions(), there.permissions());
        assertEquals(here.modified(), there.modified());
    }

    private static void write(Path file, long at, byte[] bytes) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(at);
            open.write(bytes);
        }
    }

    private static byte[] random(int bytes) {
        byte[] made = new byte[bytes];
        new Random(bytes).nextBytes(made);
        return made;
    }

    @Test
    void onlyWhatChangedGoesAgain() throws Exception {
        Path file = from.resolve("out");
        Files.write(file, random(1000 * PAGE + 17));
        Files.setAttribute(file, "unix:mode", MODE);
        carry(file, false);
        assertEquals(1000 * PAGE + 17, pass());
        assertEquals(0, pass());
        write(file, 300L * PAGE + 5, new byte[] {1, 2, 3});
        write(file, 1000L * PAGE + 17, random(10));
        assertEquals(PAGE + 27, pass());
        assertArrived(file);
    }

    /** Of a hole nothing goes; what was data and is a hole by now is zeros. */
    @Test
    void holesStayHoles() throws Exception {
        Path file = from.resolve("sparse");
        write(file, 64L << 20, random(PAGE));
        write(file, 900L << 20, random(PAGE));
        carry(file, false);
        assertEquals(2 * PAGE, pass());
        Files.delete(file);
        Path again = from.resolve("again");
        write(again, 900L << 20, random(PAGE));
        carry(again, false);
        pass();
        assertArrived(again);
        assertFalse(Files.exists(there(file))); // it has no name any more
    }

    @Test
    void whatIsCutAndGrowsAgainIsRight() throws Exception {
        Path file = from.resolve("log");
        Files.write(file, random(100 * PAGE));
        carry(file, false);
        pass();
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(10 * PAGE + 5);
            open.setLength(80 * PAGE);
        }
        write(file, 50L * PAGE, random(100));
        pass();
        assertArrived(file);
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(0);
        }
        pass();
        assertEquals(0, Files.size(file));
    }

    @Test
    void randomWritesArrive() throws Exception {
        Path file = from.resolve("random");
        Files.write(file, random(PAGE));
        carry(file, false);
        Random random = new Random(7);
        for (int i = 0; i < 200; i++) {
            try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
                if (random.nextInt(4) == 0) {
                    open.setLength(random.nextInt(3 << 20));
                }
                open.seek(random.nextInt(3 << 20));
                open.write(random.nextBoolean() ? random(random.nextInt(9000)) : new byte[9000]);
            }
            if (random.nextInt(5) == 0) {
                pass();
            }
        }
        pass();
        assertArrived(file);
    }

    /** What is written behind its end while it is sent goes the next time. */
    @Test
    void aFileMayGrowWhileItIsSent() throws Exception {
        Path file = from.resolve("growing");
        Files.write(file, random(3 << 20));
        carry(file, false);
        leaving.pass(line, true, () -> write(file, 1000));
        pass();
        assertArrived(file);
    }

    private static void write(Path file, int bytes) {
        try {
            Files.write(file, random(bytes), StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void allOfItIsTakenBack() throws Exception {
        Path file = from.resolve("out");
        Files.write(file, random(PAGE));
        carry(file, false);
        pass();
        assertArrived(file);
        ArrivingFiles.remove(ID, spool); // as another process would
        assertFalse(Files.exists(to));
        ArrivingFiles.remove(ID, spool);
    }

    @Test
    void whatIsReplacedComesBack() throws Exception {
        Files.createDirectory(to);
        Path file = from.resolve("out");
        Files.write(file, random(PAGE));
        Files.writeString(there(file), "mine");
        carry(file, true);
        pass();
        assertArrived(file);
        arriving.remove();
        assertEquals("mine", Files.readString(there(file)));
        try (var all = Files.list(to)) {
            assertEquals(1, all.count());
        }
    }

    @Test
    void whatWasReplacedGoesWhenTheJobRuns() throws Exception {
        Files.createDirectory(to);
        Path file = from.resolve("out");
        Files.write(file, random(PAGE));
        Files.writeString(there(file), "mine");
        carry(file, true);
        pass();
        assertArrived(file);
        arriving.keep();
        try (var all = Files.list(to)) {
            assertEquals(1, all.count());
        }
        leaving.list(spool, User.id(), Optional.empty());
        GoneFiles gone = GoneFiles.read(spool);
        List<String> said = new ArrayList<>();
        gone.remove(said::add);
        assertTrue(Files.exists(file)); // the test has it open itself
        assertEquals(1, said.size());
        leaving.close();
        gone.remove(said::add);
        assertFalse(Files.exists(file));
        Files.writeString(file, "another");
        gone.remove(said::add);
        assertTrue(Files.exists(file));
    }

    /** What did not go must not be removed here. */
    @Test
    void onlyWhatWasPlacedIsRemovedHere() throws Exception {
        Path file = from.resolve("out");
        Files.write(file, random(PAGE));
        carry(file, false);
        pass();
        Files.move(file, from.resolve("other"));
        assertEquals(List.of(), leaving.placed(List.of()));
        Files.move(from.resolve("other"), file); // its name leads to it again, too late
        leaving.list(spool, User.id(), Optional.empty());
        assertEquals(List.of(), GoneFiles.read(spool).files());
    }

    @Test
    void whatAppearedMeanwhileIsNotReplaced() throws Exception {
        Path file = from.resolve("out");
        Files.write(file, random(PAGE));
        carry(file, false);
        pass();
        Files.writeString(there(file), "mine");
        Problem problem =
                assertThrows(Problem.class, () -> arriving.place(leaving.placed(List.of())));
        assertTrue(problem.what().contains(there(file).toString()), problem::what);
        arriving.remove();
        assertEquals("mine", Files.readString(there(file)));
    }

    /** Or the user's rights would make files elsewhere. */
    @Test
    void aLinkOnTheWayIsNotFollowed() throws Exception {
        Path elsewhere = Files.createDirectory(spool.resolveSibling("elsewhere"));
        Files.createSymbolicLink(to, elsewhere);
        Path file = from.resolve("out");
        Files.write(file, random(PAGE));
        assertThrows(Problem.class, () -> carry(file, false));
        try (var all = Files.list(elsewhere)) {
            assertEquals(0, all.count());
        }
    }

    @Test
    void strangePathsAreRefused() {
        for (String path : List.of("/a/../b", "a", "/", "/a\nb", "/a/")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () ->
                            new CarriedFile(
                                    1, false, path, CarriedFile.Kind.FILE, "", MODE, 0, 0, false),
                    path);
        }
    }

    private CarriedFile there(CarriedFile carried) {
        return new CarriedFile(
                carried.number(),
                false,
                there(Path.of(carried.path())).toString(),
                carried.kind(),
                carried.to(),
                carried.mode(),
                carried.uid(),
                carried.gid(),
                false);
    }

    private static TreeEntry entry(Path path, CarriedFile.Kind kind, String to) throws IOException {
        FileState state = FileState.ofName(path).orElseThrow();
        return new TreeEntry(path.toString(), path, kind, to, state, Map.of(), null);
    }

    @Test
    void linksAndFifosComeLast() throws Exception {
        Files.createDirectory(to);
        Path file = from.resolve("out");
        Path hard = from.resolve("hard");
        Path soft = from.resolve("soft");
        Path fifo = from.resolve("fifo");
        Files.write(file, random(PAGE));
        ExtendedAttributes.setOfUser(file, Map.of("user.of", "dGVzdHM="));
        Map<String, String> list = Map.of("system.posix_acl_access", USER_1234_MAY_WRITE);
        ExtendedAttributes.setOthers(file, list);
        Files.createLink(hard, file);
        Files.createSymbolicLink(soft, Path.of("nowhere"));
        try (HeldDirectory directory = HeldDirectory.open(Path.of("/"), from)) {
            directory.makeFifo("fifo");
        }
        carry(file, false);
        arriving.make(List.of(there(leaving.addLink(used(hard), used(file), false))));
        List<TreeEntry> entries =
                List.of(
                        entry(fifo, CarriedFile.Kind.FIFO, ""),
                        entry(soft, CarriedFile.Kind.SYMBOLIC_LINK, "nowhere"));
        for (CarriedFile each : leaving.announce(entries, false)) {
            arriving.make(List.of(there(each)));
        }
        assertEquals(List.of(), leaving.announce(entries, false));
        pass();
        arriving.place(leaving.placed(entries));
        assertTrue(Files.isSameFile(there(file), there(hard)));
        assertEquals(2, ExtendedAttributes.of(file).size());
        assertEquals(ExtendedAttributes.of(file), ExtendedAttributes.of(there(file)));
        assertEquals(FileState.of(file).permissions(), FileState.of(there(file)).permissions());
        assertEquals(Path.of("nowhere"), Files.readSymbolicLink(there(soft)));
        FileState made = FileState.ofName(there(fifo)).orElseThrow();
        assertEquals(FileState.Kind.FIFO, made.kind());
        assertEquals(FileState.ofName(fifo).orElseThrow().modified(), made.modified());

        leaving.list(spool, User.id(), Optional.empty());
        leaving.close();
        GoneFiles.read(spool).remove(said -> {});
        try (var all = Files.list(from)) {
            assertEquals(List.of(), all.toList());
        }
        arriving.remove();
        try (var all = Files.list(to)) {
            assertEquals(List.of(), all.toList());
        }
    }

    /** What another user could have put in the way of a link. */
    @Test
    void aLinkDoesNotReplaceAnother() throws Exception {
        Files.createDirectory(to);
        Path soft = from.resolve("soft");
        Files.createSymbolicLink(soft, Path.of("nowhere"));
        Files.createSymbolicLink(there(soft), Path.of("elsewhere"));
        TreeEntry entry = entry(soft, CarriedFile.Kind.SYMBOLIC_LINK, "nowhere");
        CarriedFile announced = leaving.announce(List.of(entry), false).getFirst();
        assertThrows(Problem.class, () -> arriving.make(List.of(there(announced))));
        assertEquals(Path.of("elsewhere"), Files.readSymbolicLink(there(soft)));
    }

    @Test
    void aFileThatAPeerMustNotNameIsRefused() {
        for (String to : List.of("", "one", "-1", "1/2")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () ->
                            new CarriedFile(
                                    1,
                                    true,
                                    "/x",
                                    CarriedFile.Kind.HARD_LINK,
                                    to,
                                    MODE,
                                    0,
                                    0,
                                    false),
                    to);
        }
        for (String name :
                List.of("trusted.overlay.opaque", "security.selinux", "user.", "user.\n")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new PlacedFile(1, MODE, 0, 0, 0, 0, 0, Map.of(name, ""), null),
                    name);
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> new PlacedFile(1, MODE, 0, 0, 0, 0, 0, Map.of("user.x", "%"), null));
    }
}
