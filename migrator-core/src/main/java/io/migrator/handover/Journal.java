package io.migrator.handover;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * What one node knows of one migration: a small file in memory, replaced by rename, so that a
 * reader sees the old or the new one whole. Nothing is synced: the file dies exactly when the
 * processes it speaks of die, and the boot id tells that it did.
 *
 * <p>Three lines: {@code migrator 1 ROLE ID TOKEN BOOT BOOT} (of source and target), a JSON object,
 * the CRC-32C of both in hexadecimal. An open journal is locked: one process at a time acts for a
 * migration on a node, and the kernel unlocks when it dies. One thread.
 */
public final class Journal implements AutoCloseable {
    /** On which end of the migration this node is. */
    public enum Role {
        SOURCE,
        TARGET
    }

    /** The first line. */
    public record Head(Role role, String id, Token token, String sourceBoot, String targetBoot) {
        private static final Pattern LINE =
                Pattern.compile(
                        "migrator 1 (source|target) ([a-z0-9]{1,64}) ([0-9a-f]{32})"
                                + " ([0-9a-f-]{1,64}) ([0-9a-f-]{1,64})");

        /** Parts may come from a peer: what could not be read again is refused. */
        public Head {
            if (!LINE.matcher(line(role, id, token, sourceBoot, targetBoot)).matches()) {
                throw new IllegalArgumentException("not the head of a journal");
            }
        }

        /** The boot id of the node that keeps the journal. */
        public String ownBoot() {
            return role == Role.SOURCE ? sourceBoot : targetBoot;
        }

        private String line() {
            return line(role, id, token, sourceBoot, targetBoot);
        }

        private static String line(
                Role role, String id, Token token, String sourceBoot, String targetBoot) {
            String word = role == Role.SOURCE ? "source" : "target";
            return String.join(" ", "migrator 1", word, id, token.text(), sourceBoot, targetBoot);
        }

        private static Head of(String line) throws IOException {
            Matcher found = LINE.matcher(line);
            if (!found.matches()) {
                throw new Unreadable("its first line is not that of version 1", null);
            }
            return new Head(
                    found.group(1).equals("source") ? Role.SOURCE : Role.TARGET,
                    found.group(2),
                    new Token(found.group(3)),
                    found.group(4),
                    found.group(5));
        }
    }

    /** What a file holds. */
    public record Contents(Head head, String text) {
        /**
         * Reads a file.
         *
         * @throws Unreadable if it is not a whole journal of the migration whose name it has
         */
        static Contents read(Path file) throws IOException {
            if (Files.size(file) > MAX_BYTES) {
                throw new Unreadable("it is too long for a journal", null);
            }
            // what is not UTF-8 becomes U+FFFD, and the checksum another
            String read = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
            List<String> lines = read.lines().toList();
            if (lines.size() != 3
                    || !lines.get(2).equals(checksum(lines.get(0) + "\n" + lines.get(1) + "\n"))) {
                throw new Unreadable("it is damaged: its checksum differs", null);
            }
            Head head = Head.of(lines.getFirst());
            if (!head.id.equals(String.valueOf(file.getFileName()))) {
                throw new Unreadable("it is the journal of migration " + head.id, null);
            }
            return new Contents(head, lines.get(1));
        }

        /** The body as what it must be. */
        public <T> T body(Class<T> type) throws IOException {
            try {
                T body = JSON.readValue(text, type);
                if (body == null) {
                    throw new Unreadable("it has no body", null);
                }
                return body;
            } catch (JacksonException e) {
                throw new Unreadable("its body cannot be read: " + e.getOriginalMessage(), e);
            }
        }
    }

    /** The file is not a whole journal of the migration whose name it has. */
    public static final class Unreadable extends IOException {
        private static final long serialVersionUID = 1;

        Unreadable(String what, @Nullable Throwable cause) {
            super(what, cause);
        }
    }

    private static final Pattern ID = Pattern.compile("[a-z0-9]{1,64}");
    private static final String LOCK = ".lock";
    private static final String DRAFT = ".new";

    /** A person's decision about it lies beside it. */
    public static final String TAKE_OVER = ".take-over";

    private static final int MAX_BYTES = 1 << 20;
    private static final ObjectMapper JSON = strict();

    /**
     * Reads records that come from elsewhere: nothing may be missing of them but what says itself
     * that it may ({@code @JsonSetter(nulls = Nulls.SET)}).
     */
    public static ObjectMapper strict() {
        ObjectMapper strict =
                JsonMapper.builder()
                        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                        .build();
        return strict.setDefaultSetterInfo(JsonSetter.Value.forValueNulls(Nulls.FAIL, Nulls.FAIL));
    }

    private final Path file;
    private final FileChannel lock;

    private Journal(Path file, FileChannel lock) {
        this.file = file;
        this.lock = lock;
    }

    /**
     * A journal for a new migration, locked, without contents yet.
     *
     * @param directory of this user's journals; made if it is not there
     */
    public static Journal create(Path directory, String id) throws IOException {
        return openOrCreate(directory, id).orElseThrow(() -> new IOException(id + " is in use"));
    }

    /**
     * The same for one that may be there already.
     *
     * @return empty if another process is at work on that migration
     */
    public static Optional<Journal> openOrCreate(Path directory, String id) throws IOException {
        try {
            Files.createDirectories(
                    directory,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
        } catch (FileAlreadyExistsException e) {
            // of an earlier migration, whose end may take it away under our hands
        }
        return locked(directory, id, true);
    }

    /**
     * The journal of a migration, locked.
     *
     * @return empty if another process is at work on that migration
     * @throws NoSuchFileException if there is none
     */
    public static Optional<Journal> open(Path directory, String id) throws IOException {
        return locked(directory, id, false);
    }

    private static Optional<Journal> locked(Path directory, String id, boolean make)
            throws IOException {
        Path file = checked(directory, id);
        Path path = file.resolveSibling(id + LOCK);
        FileChannel channel =
                make
                        ? FileChannel.open(
                                path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)
                        : FileChannel.open(path, StandardOpenOption.WRITE);
        try {
            FileLock held = channel.tryLock();
            if (held != null && !Files.exists(path)) {
                throw new NoSuchFileException(path.toString()); // it was deleted under our hands
            }
            if (held != null) {
                return Optional.of(new Journal(file, channel));
            }
        } catch (OverlappingFileLockException e) {
            // by another thread of this process
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        channel.close();
        return Optional.empty();
    }

    /**
     * The journal of a migration that another process may be at work on, only to be read.
     *
     * @throws NoSuchFileException if there is none
     */
    public static Contents peek(Path directory, String id) throws IOException {
        return Contents.read(checked(directory, id));
    }

    private static Path checked(Path directory, String id) throws IOException {
        if (!ID.matcher(id).matches()) {
            throw new IOException("'" + id + "' does not name a migration");
        }
        return directory.resolve(id);
    }

    /** The ids of all journals of this user on this node, oldest first. */
    public static List<String> ids(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(path -> String.valueOf(path.getFileName()))
                    .filter(name -> name.endsWith(LOCK))
                    .map(name -> name.substring(0, name.length() - LOCK.length()))
                    .sorted()
                    .toList();
        }
    }

    /** Returns true if something was written. */
    public boolean hasContents() {
        return Files.exists(file);
    }

    /**
     * Puts new contents in place of the old.
     *
     * @throws Problem if they cannot be written; the old ones are then still there
     */
    public void write(Head head, Object body) throws Problem {
        try {
            String text = head.line() + "\n" + JSON.writeValueAsString(body) + "\n";
            Path draft = file.resolveSibling(file.getFileName() + DRAFT);
            Files.writeString(draft, text + checksum(text) + "\n");
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw Problem.failed("the journal cannot be written")
                    .because(file + ": " + e.getMessage())
                    .causedBy(e);
        }
    }

    /** What is in it. */
    public Contents contents() throws IOException {
        return Contents.read(file);
    }

    private static String checksum(String text) {
        CRC32C sum = new CRC32C();
        sum.update(text.getBytes(StandardCharsets.UTF_8));
        return Long.toHexString(sum.getValue());
    }

    /** When it was written last. */
    public Instant changed() throws IOException {
        return Files.getLastModifiedTime(file).toInstant();
    }

    /** The file, for messages. */
    public Path file() {
        return file;
    }

    /** Removes it, its lock, and the directory where it was the last. */
    public void delete() throws Problem {
        try {
            Files.deleteIfExists(file);
            Files.deleteIfExists(file.resolveSibling(file.getFileName() + DRAFT));
            Files.deleteIfExists(file.resolveSibling(file.getFileName() + TAKE_OVER));
            Files.deleteIfExists(file.resolveSibling(file.getFileName() + LOCK));
            Path directory = Objects.requireNonNull(file.getParent());
            removeIfEmpty(directory);
            removeIfEmpty(Objects.requireNonNull(directory.getParent()));
        } catch (IOException e) {
            throw Problem.failed("the journal cannot be removed")
                    .because(e.toString())
                    .tryThis("migrator recover")
                    .causedBy(e);
        }
    }

    private static void removeIfEmpty(Path directory) throws IOException {
        try {
            Files.deleteIfExists(directory);
        } catch (DirectoryNotEmptyException e) {
            // others have theirs in it
        }
    }

    /** Lets the next process act; the contents stay, and without any the lock goes too. */
    @Override
    public void close() {
        try (lock) {
            if (lock.isOpen() && !hasContents()) {
                delete();
            }
        } catch (IOException | Problem e) {
            // an empty lock is in nobody's way: the next recover removes it
        }
    }
}
