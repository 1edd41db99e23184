package io.migrator.migration;

import io.migrator.instance.ImageIdentity;
import io.migrator.problem.Problem;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * What the source tells a node to learn whether the job could go there. Asking changes nothing.
 *
 * @param instance name the instance is to have there
 * @param image as it is on the source
 * @param criuVersion of the source
 * @param cpuInfo criu's cpuinfo.img of the source
 * @param network what the job holds of its network
 * @param rootEntry true if only root can enter the instance
 * @param limits the highest hard limits of the job, by the kernel's names
 * @param needs memory
 */
public record Survey(
        String instance,
        ImageIdentity image,
        String criuVersion,
        byte[] cpuInfo,
        NetworkNeeds network,
        boolean rootEntry,
        Map<String, Limit> limits,
        Needs needs) {
    /**
     * A hard limit.
     *
     * @param process that has it, for messages
     * @param value see {@link io.migrator.linux.Limits}
     */
    public record Limit(String process, long value) {}

    /** The same, but the instance is to have another name. */
    public Survey named(String name) {
        return of(name, image);
    }

    /** The same, with the digest of the image, which is read for it; a directory has none. */
    public Survey digested() throws Problem {
        return Files.isDirectory(Path.of(image.path())) ? this : of(instance, image.withDigest());
    }

    private Survey of(String name, ImageIdentity identity) {
        return new Survey(name, identity, criuVersion, cpuInfo, network, rootEntry, limits, needs);
    }
}
