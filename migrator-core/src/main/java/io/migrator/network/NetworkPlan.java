package io.migrator.network;

import io.migrator.linux.User;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Objects;

/**
 * What becomes of a job's network when it moves. Kept in both journals, so that a later process can
 * undo it.
 *
 * @param mode what was chosen
 * @param addresses those that move with the job
 * @param links what its own network namespace is made of; null where it uses the node's
 */
public record NetworkPlan(
        Mode mode, List<InterfaceAddress> addresses, @Nullable NamespaceState links) {
    /** How a job's connections are treated. */
    public enum Mode {
        /** Its addresses on the node's interfaces move along. */
        SERVICE_IP,
        /** Its own network namespace is made anew on the target. */
        OWN,
        /** Its connections are closed. */
        CLOSE,
        /** It has none but within itself. */
        LISTEN_ONLY,
        /** It has none, and its owner may not change the node's network. */
        UNTOUCHED
    }

    /** Nothing is to be done. */
    public static final NetworkPlan NONE = new NetworkPlan(Mode.UNTOUCHED, List.of(), null);

    /** Of a move whose journal is of no use: a lock at most is to be removed. */
    public static NetworkPlan unknown() {
        return User.isRoot() ? new NetworkPlan(Mode.LISTEN_ONLY, List.of(), null) : NONE;
    }

    /** What was read back may lack a part. */
    public NetworkPlan {
        Objects.requireNonNull(mode);
        addresses = List.copyOf(addresses);
        if ((mode == Mode.OWN) != (links != null)) {
            throw new IllegalArgumentException("links go with a network namespace of its own");
        }
    }

    /** True if packets are to be held back, of new connections at least. */
    public boolean locks() {
        return mode != Mode.UNTOUCHED;
    }

    /** True if connections live on. */
    public boolean keeps() {
        return locks() && mode != Mode.CLOSE;
    }

    /** True if addresses of the node's own interfaces go along. */
    public boolean movesAddresses() {
        return mode == Mode.SERVICE_IP;
    }
}
