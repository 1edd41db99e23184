package io.migrator.linux;

import io.migrator.problem.Problem;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where the distribution keeps its native programs: {@code native/} beside {@code lib/}. */
public final class NativeParts {
    private NativeParts() {}

    /** The distribution's folder, set by bin/migrator as {@code -Dmigrator.home}. */
    public static Path home() throws Problem {
        String home = System.getProperty("migrator.home");
        if (home == null) {
            throw Problem.failed("the distribution's folder is not known")
                    .because("the property migrator.home is not set")
                    .tryThis("start bin/migrator, not java");
        }
        return Path.of(home);
    }

    /** A file of {@code native/}, which must exist. */
    public static Path path(String name) throws Problem {
        Path path = home().resolve("native").resolve(name);
        if (!Files.exists(path)) {
            throw Problem.failed("the distribution is not whole")
                    .because(path + " is missing")
                    .tryThis("install it again, or build it with mvn package");
        }
        return path;
    }
}
