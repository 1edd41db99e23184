/**
 * criu, driven as {@code criu swrk} and in no other way: {@link io.migrator.criu.CriuBundle} is the
 * copy of the installed criu that is safe to start inside an image, {@link
 * io.migrator.criu.CriuSession} one criu held at its notifications, {@link
 * io.migrator.criu.CriuLog} its log, and {@link io.migrator.criu.ProtoMessage} its images and
 * messages. Comes in: an instance and a spool directory. Goes out: images, or a restored tree that
 * has not yet run.
 */
@NullMarked
package io.migrator.criu;

import org.jspecify.annotations.NullMarked;
