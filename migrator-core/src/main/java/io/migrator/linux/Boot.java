package io.migrator.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** This start of this node (random(4), boot_id): what it knows of processes ends with it. */
public final class Boot {
    private static final Path FILE = Path.of("/proc/sys/kernel/random/boot_id");
    private static final Path RELEASE = Path.of("/proc/sys/kernel/osrelease");

    private Boot() {}

    /** A UUID that is another one after each start of the node. */
    public static String id() throws IOException {
        return Files.readString(FILE).strip();
    }

    /** The release of its kernel, as {@code uname -r} prints it. */
    public static String kernelRelease() throws IOException {
        return Files.readString(RELEASE).strip();
    }
}
