package io.migrator.migration;

/**
 * What {@code migrator recover} found and did about one migration.
 *
 * @param id of the migration
 * @param role {@code source} or {@code target}: which end this node was
 * @param instance name; empty if the journal cannot be read
 * @param found the state of the journal; empty if it cannot be read
 * @param holder who may run the job now: {@code here}, {@code there}, {@code nobody} (it is gone),
 *     {@code both} (a person took back what ran there), {@code unknown}
 * @param decided true if nothing is left to be decided
 * @param text what was done, or what would be, in words
 * @param tryThis what a person may do; empty if nothing
 */
public record Settled(
        String id,
        String role,
        String instance,
        String found,
        String holder,
        boolean decided,
        String text,
        String tryThis) {}
