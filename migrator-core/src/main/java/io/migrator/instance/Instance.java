package io.migrator.instance;

import io.migrator.linux.User;

import java.nio.file.Path;

/**
 * A running Apptainer instance of this node.
 *
 * @param name as the user gave it
 * @param owner login name
 * @param appinit pid of the instance's pid 1, as seen from the node
 * @param startTime of appinit, in clock ticks since boot: its identity together with the pid
 * @param image path of the image on this node
 * @param userNamespace true if it runs in a user namespace of its own (no privilege needed)
 * @param start how it was started
 */
public record Instance(
        String name,
        String owner,
        long appinit,
        long startTime,
        Path image,
        boolean userNamespace,
        StartOptions start) {

    /** With whose rights criu can work on an instance; found by looking. */
    public enum Mode {
        /** Root looks at an instance in the node's own user namespace. */
        ROOT,
        /** An ordinary user owns the user namespace and so has every capability in it. */
        USER_NAMESPACE,
        /** An ordinary user has none: Apptainer's setuid starter made the instance. */
        SETUID
    }

    /** The mode for the user who runs this JVM. */
    public Mode mode() {
        if (User.isRoot()) {
            return Mode.ROOT;
        }
        return userNamespace ? Mode.USER_NAMESPACE : Mode.SETUID;
    }
}
