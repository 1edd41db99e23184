package io.migrator.instance;

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
        StartOptions start) {}
