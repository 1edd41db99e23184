/**
 * The network of a job while it moves. So far {@link io.migrator.network.NetworkLock}: criu's own
 * nftables table, which keeps the peers of established connections from noticing that nobody is
 * there, carried to the target and removed afterwards.
 */
@NullMarked
package io.migrator.network;

import org.jspecify.annotations.NullMarked;
