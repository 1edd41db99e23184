package io.migrator.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The user who runs this JVM. */
public final class User {
    private User() {}

    /** Login name, from the user database. */
    public static String name() {
        return System.getProperty("user.name");
    }

    /** Effective user id. */
    public static int id() throws IOException {
        return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }

    public static boolean isRoot() {
        return "root".equals(name());
    }
}
