/**
 * The far side over SSH: {@link io.migrator.remote.RemoteTarget} speaks for a node on the source,
 * {@link io.migrator.remote.Receiver} is what SSH starts there and replays what it hears into a
 * {@link io.migrator.migration.LocalTarget}. Requests and replies are control frames holding JSON
 * (docs/wire.md), images are file frames between them.
 */
@NullMarked
package io.migrator.remote;

import org.jspecify.annotations.NullMarked;
