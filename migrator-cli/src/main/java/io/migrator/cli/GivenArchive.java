package io.migrator.cli;

import io.migrator.archive.ArchiveReader;
import io.migrator.migration.Spool;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * An archive that a command was given: a file, or standard input, which is kept in memory as long
 * as this is open, for it is read twice and may not be meant for a disk.
 */
final class GivenArchive implements AutoCloseable {
    private static final String INPUT = "-";

    private final @Nullable Spool spool;
    private final ArchiveReader reader;

    private GivenArchive(@Nullable Spool spool, ArchiveReader reader) {
        this.spool = spool;
        this.reader = reader;
    }

    /** Opens it. */
    static GivenArchive of(String name) throws Problem {
        if (!name.equals(INPUT)) {
            try { // what it builds on is beside the file, not beside a link to it
                return new GivenArchive(null, new ArchiveReader(Path.of(name).toRealPath()));
            } catch (NoSuchFileException e) {
                throw Problem.usage(name + " cannot be read").because("it does not exist");
            } catch (IOException | InvalidPathException e) {
                throw Problem.usage(name + " cannot be read").because(e.getMessage());
            }
        }
        Spool spool = Spool.create("input" + ProcessHandle.current().pid());
        Path copy = spool.directory().resolve("archive");
        boolean copied = false;
        try {
            Files.copy(System.in, copy);
            copied = true;
            return new GivenArchive(spool, new ArchiveReader(copy));
        } catch (IOException e) {
            throw Problem.failed("the archive could not be kept in memory")
                    .because(e.toString())
                    .tryThis("make room in /dev/shm, or restore from a file");
        } finally {
            if (!copied) {
                new GivenArchive(spool, new ArchiveReader(copy)).close();
            }
        }
    }

    /**
     * Refuses archives that others could have written.
     *
     * @return itself, after all that it builds on
     */
    List<ArchiveReader> chain() throws Problem {
        List<ArchiveReader> chain = reader.chain();
        for (ArchiveReader each : chain) {
            each.orForeign();
        }
        return chain;
    }

    ArchiveReader reader() {
        return reader;
    }

    @Override
    public void close() throws Problem {
        try {
            if (spool != null) {
                spool.close();
            }
        } catch (IOException e) {
            throw Problem.failed("the copy of the archive in memory could not be removed")
                    .because(e.toString());
        }
    }
}
