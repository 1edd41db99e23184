package io.migrator.instance;

import io.migrator.linux.FileState;
import io.migrator.linux.FileSystem;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;

/**
 * By what an image is known to be the same on two nodes: either it is the same file (of a file
 * system both have mounted), or its contents have the same digest.
 *
 * @param path absolute
 * @param fileSystem id of the file system (statfs(2) f_fsid), hexadecimal
 * @param inode number, with the change time proof that it is the same file in the same state
 * @param changed change time (ctime), seconds with fraction as stat(1) prints it
 * @param bytes size
 * @param digest SHA-256, hexadecimal; empty where it was not asked for
 */
public record ImageIdentity(
        String path, String fileSystem, long inode, String changed, long bytes, String digest) {
    private static final int BLOCK = 1 << 20;

    /** How an image on another node relates to this one. */
    public enum Match {
        SAME_FILE,
        SAME_DIGEST,
        OTHER,
        ABSENT
    }

    /** Looks at a file without reading its contents. */
    public static ImageIdentity of(Path path) throws Problem {
        try {
            FileState file = FileState.of(path);
            Instant changed = file.changed();
            return new ImageIdentity(
                    path.toString(),
                    FileSystem.of(path).id(),
                    file.inode(),
                    "%d.%09d".formatted(changed.getEpochSecond(), changed.getNano()),
                    file.bytes(),
                    "");
        } catch (IOException e) {
            throw Problem.failed(path + " cannot be looked at").because(e.toString());
        }
    }

    /** Returns true if both are the same file in the same state on one shared file system. */
    public boolean sameFile(ImageIdentity other) {
        return fileSystem.equals(other.fileSystem)
                && inode == other.inode
                && changed.equals(other.changed)
                && bytes == other.bytes;
    }

    /**
     * Compares with what another node has in its place; reads this one if that may settle it.
     *
     * @param there with its digest, unless it is the same file or a directory; null if there is
     *     none
     */
    public Match match(@Nullable ImageIdentity there) throws Problem {
        if (there == null) {
            return Match.ABSENT;
        }
        if (sameFile(there)) {
            return Match.SAME_FILE;
        }
        boolean alike = !Files.isDirectory(Path.of(path)) && bytes == there.bytes;
        return alike && withDigest().digest.equals(there.digest) ? Match.SAME_DIGEST : Match.OTHER;
    }

    /** The same with its digest, taken from the user's cache where the file has not changed. */
    public ImageIdentity withDigest() throws Problem {
        if (!digest.isEmpty()) {
            return this;
        }
        try {
            Path cache = cacheEntry();
            String known = Files.isRegularFile(cache) ? Files.readString(cache).strip() : "";
            if (!known.matches("[0-9a-f]{64}")) {
                known = HexFormat.of().formatHex(read(Path.of(path)));
                Files.createDirectories(cache.getParent());
                Files.writeString(cache, known + "\n");
            }
            return new ImageIdentity(path, fileSystem, inode, changed, bytes, known);
        } catch (IOException e) {
            throw Problem.failed("the digest of image " + path + " could not be made")
                    .because(e.toString())
                    .causedBy(e);
        }
    }

    private Path cacheEntry() {
        String key = String.join(" ", path, fileSystem, Long.toString(inode), changed);
        byte[] name = sha256().digest((key + " " + bytes).getBytes(StandardCharsets.UTF_8));
        return Path.of(System.getProperty("user.home"), ".cache", "migrator", "digests")
                .resolve(HexFormat.of().formatHex(name, 0, 16));
    }

    private static byte[] read(Path path) throws IOException {
        MessageDigest digest = sha256();
        try (InputStream in = new DigestInputStream(Files.newInputStream(path), digest)) {
            byte[] block = new byte[BLOCK];
            int got = in.read(block);
            while (got >= 0) {
                got = in.read(block);
            }
        }
        return digest.digest();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e); // every JDK has it
        }
    }
}
