package io.migrator.migration;

/**
 * A target's answer when it is ready.
 *
 * @param wantsRunDirectory true if it does not see the source's run directory and made its own
 */
public record Prepared(boolean wantsRunDirectory) {}
