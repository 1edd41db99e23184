package io.migrator.files;

import io.migrator.files.FileClaim.Probe;
import io.migrator.linux.HeldFile;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a target is told of files of the node. While this is open a file lies beside each that the
 * job writes to, where the user may make one: a target that sees it has the very same file. By
 * numbers and times it could not be told, as nodes may have been made from one disk image.
 */
public final class FileClaims implements AutoCloseable {
    private static final String PROBE = ".migrator-probe-";
    private static final int RANDOM_BITS = 128;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Map<Path, Probe> probes = new HashMap<>();
    private final List<FileClaim> all = new ArrayList<>();
    private final List<UsedFile> files = new ArrayList<>();

    private FileClaims() {}

    /**
     * Claims for files, in their order, without those that are gone by now.
     *
     * @param read whether there are to be probes beside files that the job only reads, too
     */
    public static FileClaims of(List<UsedFile> files, boolean read) throws Problem, IOException {
        FileClaims claims = new FileClaims();
        boolean done = false;
        try {
            for (UsedFile each : files) {
                claims.add(each, read);
            }
            done = true;
            return claims;
        } finally {
            if (!done) {
                claims.close();
            }
        }
    }

    private void add(UsedFile file, boolean read) throws Problem, IOException {
        boolean probed = file.written() || (read && !file.directory());
        try {
            all.add(FileClaim.of(file, probed ? probe(file) : Probe.NONE));
            files.add(file);
        } catch (NoSuchFileException e) {
            // found again under its next name, if it is used still
        }
    }

    /** One for each directory; its name cannot be foreseen, nor its text be read by others. */
    private Probe probe(UsedFile file) {
        Path path = file.onNode();
        Path directory = path == null ? null : path.getParent();
        if (directory == null) {
            return Probe.NONE;
        }
        Probe known = probes.get(directory);
        if (known != null) {
            return known;
        }
        Probe made = new Probe(PROBE + random(), random());
        Path at = directory.resolve(made.name());
        try (HeldFile probe = HeldFile.create(at)) {
            probes.put(directory, made);
            Files.writeString(probe.file(), made.text());
            return made;
        } catch (IOException e) {
            return Probe.NONE; // then its numbers have to do
        }
    }

    private static String random() {
        return new BigInteger(RANDOM_BITS, RANDOM).toString(Character.MAX_RADIX);
    }

    /** The files of the claims. */
    public List<UsedFile> files() {
        return files;
    }

    /** The claims. */
    public List<FileClaim> all() {
        return all;
    }

    @Override
    public void close() throws IOException {
        for (Map.Entry<Path, Probe> each : probes.entrySet()) {
            Files.deleteIfExists(each.getKey().resolve(each.getValue().name()));
        }
    }
}
