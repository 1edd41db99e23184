package io.migrator.files;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a target is told of files of the node. While this is open a file lies beside each that the
 * job writes to, where the user may make one: a target that sees it has the very same file. By
 * numbers and times it could not be told, as nodes may have been made from one disk image.
 */
public final class FileClaims implements AutoCloseable {
    private static final String PROBE = ".migrator-probe-";

    private final Set<Path> probes = new LinkedHashSet<>();
    private final List<FileClaim> all = new ArrayList<>();

    private FileClaims() {}

    /**
     * Claims for files, in their order.
     *
     * @param id of the migration
     */
    public static FileClaims of(List<UsedFile> files, String id) throws Problem, IOException {
        FileClaims claims = new FileClaims();
        boolean done = false;
        try {
            for (UsedFile each : files) {
                claims.all.add(FileClaim.of(each, claims.probe(each, PROBE + id)));
            }
            done = true;
            return claims;
        } finally {
            if (!done) {
                claims.close();
            }
        }
    }

    private String probe(UsedFile file, String name) {
        Path path = file.onNode();
        if (path == null || file.directory() || !file.written()) {
            return "";
        }
        Path probe = path.resolveSibling(name);
        try {
            if (!probes.contains(probe)) {
                Files.createFile(probe);
                probes.add(probe);
            }
            return name;
        } catch (IOException e) {
            return ""; // then the file counts as another one there
        }
    }

    /** The claims. */
    public List<FileClaim> all() {
        return all;
    }

    @Override
    public void close() throws IOException {
        for (Path each : probes) {
            Files.deleteIfExists(each);
        }
    }
}
