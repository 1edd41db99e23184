package io.migrator.archive;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Where an archive is written: under another name until it is whole and on the disk, so that there
 * is never half of one under its own. Or standard output. Closing removes what was not committed.
 */
final class ArchiveFile implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final @Nullable Path file;
    private final @Nullable Path part;
    private final boolean replaces;
    private final FileChannel channel;
    private final OutputStream stream;

    private ArchiveFile(
            @Nullable Path file, @Nullable Path part, boolean replaces, FileChannel channel) {
        this.file = file;
        this.part = part;
        this.replaces = replaces;
        this.channel = channel;
        this.stream = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER_BYTES);
    }

    /** The name under which it is written by that migration. */
    static Path part(Path file, String migration) {
        return file.resolveSibling("." + file.getFileName() + "." + migration + ".part");
    }

    /**
     * Begins one, readable by its owner only.
     *
     * @param file absolute
     * @param replaces whether another one of that name may be replaced
     */
    static ArchiveFile create(Path file, String migration, boolean replaces) throws Problem {
        Path part = part(file, migration);
        try {
            orFree(file, replaces);
            return new ArchiveFile(
                    file,
                    part,
                    replaces,
                    FileChannel.open(
                            part,
                            Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
                            PosixFilePermissions.asFileAttribute(
                                    PosixFilePermissions.fromString("rw-------"))));
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Standard output; it is committed by whoever reads it. */
    static ArchiveFile ofOutput() {
        return new ArchiveFile(
                null, null, true, new FileOutputStream(FileDescriptor.out).getChannel());
    }

    static void orFree(Path file, boolean replaces) throws Problem {
        if (!replaces && Files.exists(file)) {
            throw Problem.refused(file + " exists")
                    .because("an archive is not written over another file unasked")
                    .tryThis("name another file, or add --force");
        }
    }

    static Problem failed(IOException e) {
        return Problem.failed("the archive could not be written")
                .because(
                        switch (e) {
                            case NoSuchFileException _ -> e.getMessage() + " does not exist";
                            case AccessDeniedException _ -> e.getMessage() + ": access denied";
                            default -> e.getMessage();
                        })
                .tryThis("see that there is room, and that you may write there")
                .causedBy(e);
    }

    OutputStream stream() {
        return stream;
    }

    /** What was written is on the disk when this returns. */
    void sync() throws IOException {
        stream.flush();
        if (part != null) {
            channel.force(false);
        }
    }

    /** It is whole: from here it has its name, even if the machine loses its power. */
    void commit() throws IOException, Problem {
        sync();
        channel.close();
        if (file != null && part != null) {
            orFree(file, replaces);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            try (FileChannel directory = FileChannel.open(file.resolveSibling(""))) {
                directory.force(true);
            }
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
        if (part != null) {
            Files.deleteIfExists(part);
        }
    }
}
