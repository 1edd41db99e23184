package io.migrator.migration;

import io.migrator.instance.ImageIdentity;

/**
 * What the source tells a node to learn whether the job could go there. Asking changes nothing.
 *
 * @param instance name the instance is to have there
 * @param image as it is on the source
 * @param cpuInfo criu's cpuinfo.img of the source
 * @param network what the job holds of its network
 * @param rootEntry true if only root can enter the instance
 */
public record Survey(
        String instance,
        ImageIdentity image,
        byte[] cpuInfo,
        NetworkNeeds network,
        boolean rootEntry) {}
