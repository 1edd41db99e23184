package io.migrator.linux;

/** The user who runs this JVM. */
public final class User {
    private User() {}

    /** Login name, from the user database. */
    public static String name() {
        return System.getProperty("user.name");
    }

    public static boolean isRoot() {
        return "root".equals(name());
    }
}
