package io.migrator.memory;

import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a job did to memory that is still to come, one line for each, so that another process can go
 * on where this one dies: {@code keeper}, a process that may hold descriptors; {@code hold}, which
 * descriptor of which keeper belongs to which space; {@code move}; {@code drop}, what is gone and
 * must not come any more. One thread.
 */
final class LateLog implements AutoCloseable {
    /** In the directory of the images. */
    private static final String FILE = "late.log";

    private static final int HOLD_WORDS = 7;
    private static final int KEEPER_WORDS = 3;

    /** So much is made before it is needed, as a line that cannot be written is lost. */
    private static final int AHEAD_BYTES = 64 << 10;

    private static final byte EMPTY = '\n';
    private static final int RANGE_WORDS = 4;
    private static final int MOVE_WORDS = 5;

    private final FileChannel file;
    private long end;
    private long room;

    /**
     * An address space that lacks pages.
     *
     * @param number of the space
     * @param pid inside the instance, of the process whose memory on the source it is
     * @param lacks those that did not come or came, but were not given back since; by their
     *     addresses on the source
     * @param keeper pid
     * @param keeperStart its start time
     * @param held its number of the descriptor
     */
    record Logged(
            int number,
            int pid,
            PageSet lacks,
            Moves moves,
            long keeper,
            long keeperStart,
            int held) {
        private Logged by(long otherKeeper, long otherStart, int number) {
            return new Logged(this.number, pid, lacks, moves, otherKeeper, otherStart, number);
        }

        /** Whether the process is still the one that was meant. */
        boolean isKept() {
            try {
                return new Proc(keeper).startTime() == keeperStart;
            } catch (IOException e) {
                return false;
            }
        }
    }

    private LateLog(FileChannel file, long end) throws IOException {
        this.file = file;
        this.end = end;
        this.room = file.size();
        makeRoom();
    }

    /** Begins or goes on with the log in a directory. */
    static LateLog in(Path images) throws IOException {
        Path path = images.resolve(FILE);
        long end =
                Files.exists(path)
                        ? lines(path).stream().mapToInt(each -> each.length() + 1).sum()
                        : 0;
        return new LateLog(
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE), end);
    }

    /** Empty lines are the room that was made. */
    private static List<String> lines(Path path) throws IOException {
        return Files.readAllLines(path, StandardCharsets.US_ASCII).stream()
                .filter(each -> !each.isEmpty())
                .toList();
    }

    private void makeRoom() throws IOException {
        byte[] empty = new byte[AHEAD_BYTES];
        Arrays.fill(empty, EMPTY);
        ByteBuffer bytes = ByteBuffer.wrap(empty);
        while (bytes.hasRemaining()) {
            room += file.write(bytes, room);
        }
    }

    /** Notes a keeper before it holds anything. */
    void keeper(Proc keeper) throws IOException {
        write("keeper %d %d".formatted(keeper.pid(), keeper.startTime()));
    }

    /**
     * Notes who holds the descriptor of a space.
     *
     * @param parent number of the space that it was forked from; itself if it was not
     */
    void hold(int number, int pid, int parent, Proc keeper, int held) throws IOException {
        write(
                "hold %d %d %d %d %d %d"
                        .formatted(number, pid, parent, keeper.pid(), keeper.startTime(), held));
    }

    void move(int number, long from, long to, long bytes) throws IOException {
        write("move %d %d %d %d".formatted(number, from, to, bytes));
    }

    /**
     * Notes that pages are gone.
     *
     * @param range by their addresses on the source
     */
    void drop(int number, PageRange range) throws IOException {
        write("drop %d %d %d".formatted(number, range.start(), range.end()));
    }

    private void write(String line) throws IOException {
        byte[] bytes = (line + '\n').getBytes(StandardCharsets.US_ASCII);
        if (room - end < AHEAD_BYTES / 2) {
            try {
                makeRoom();
            } catch (IOException e) {
                if (room - end < bytes.length) {
                    throw e;
                }
            }
        }
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        while (rest.hasRemaining()) {
            end += file.write(rest, end);
        }
    }

    /** All keepers that were noted; none if there is no log. */
    static List<LateMemory.Keeping> keepers(Path images) throws IOException {
        List<LateMemory.Keeping> found = new ArrayList<>();
        Path path = images.resolve(FILE);
        for (String line : Files.exists(path) ? lines(path) : List.<String>of()) {
            String[] words = line.split(" ");
            if (words.length == KEEPER_WORDS && words[0].equals("keeper")) {
                try {
                    found.add(
                            new LateMemory.Keeping(
                                    Long.parseLong(words[1]), Long.parseLong(words[2])));
                } catch (NumberFormatException e) {
                    throw strange(line, e);
                }
            }
        }
        return found;
    }

    /** All spaces as the log has them, by their numbers. */
    static List<Logged> read(Path images, JobPages late) throws IOException {
        List<Logged> spaces = new ArrayList<>();
        for (String line : lines(images.resolve(FILE))) {
            try {
                String[] words = line.split(" ");
                if (words.length != KEEPER_WORDS || !words[0].equals("keeper")) {
                    follow(words, spaces, late);
                }
            } catch (RuntimeException e) {
                throw strange(line, e);
            }
        }
        return spaces;
    }

    private static IOException strange(String line, RuntimeException cause) {
        return new IOException("a log of memory to come has the line " + line, cause);
    }

    private static void follow(String[] words, List<Logged> spaces, JobPages late)
            throws IOException {
        int number = Integer.parseInt(words[1]);
        if (words[0].equals("hold") && words.length == HOLD_WORDS) {
            hold(words, spaces, late);
        } else if (words[0].equals("move") && words.length == MOVE_WORDS) {
            spaces.get(number)
                    .moves()
                    .add(
                            Long.parseLong(words[2]),
                            Long.parseLong(words[3]),
                            Long.parseLong(words[4]));
        } else if (words[0].equals("drop") && words.length == RANGE_WORDS) {
            spaces.get(number).lacks().remove(Long.parseLong(words[2]), Long.parseLong(words[3]));
        } else {
            throw new IOException("a log of memory to come is cut off");
        }
    }

    private static void hold(String[] words, List<Logged> spaces, JobPages late) {
        int number = Integer.parseInt(words[1]);
        int pid = Integer.parseInt(words[2]);
        int parent = Integer.parseInt(words[3]);
        long keeper = Long.parseLong(words[4]);
        long start = Long.parseLong(words[5]);
        int held = Integer.parseInt(words[6]);
        if (number < spaces.size()) {
            spaces.set(number, spaces.get(number).by(keeper, start, held));
        } else if (parent == number) {
            PageSet lacks = late.of(pid).copy();
            spaces.add(new Logged(number, pid, lacks, new Moves(), keeper, start, held));
        } else {
            Logged from = spaces.get(parent);
            PageSet lacks = from.lacks().copy();
            spaces.add(
                    new Logged(number, pid, lacks, new Moves(from.moves()), keeper, start, held));
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
