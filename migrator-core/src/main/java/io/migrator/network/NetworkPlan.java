package io.migrator.network;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;

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
 * @param rebound addresses of the source's own at which the job listens: on the target it is to
 *     listen at an address of the same interface there
 */
public record NetworkPlan(
        Mode mode,
        List<InterfaceAddress> addresses,
        @JsonSetter(nulls = Nulls.SET) @Nullable NamespaceState links,
        List<InterfaceAddress> rebound) {
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

    /** No job has as many; what comes from a peer may claim to. */
    private static final int MOST_ADDRESSES = 1000;

    /** Nothing is to be done. */
    public static final NetworkPlan NONE = of(Mode.UNTOUCHED);

    /** One without addresses. */
    public static NetworkPlan of(Mode mode) {
        return new NetworkPlan(mode, List.of(), null, List.of());
    }

    /** A network namespace of the job's own. */
    public static NetworkPlan of(NamespaceState links) {
        return new NetworkPlan(Mode.OWN, links.addresses(), links, List.of());
    }

    /** The same, with sockets that listen elsewhere on the target. */
    public NetworkPlan rebinding(List<InterfaceAddress> addressesThatStay) {
        return new NetworkPlan(mode, addresses, links, addressesThatStay);
    }

    /** Of a move whose journal is of no use: a lock at most is to be removed. */
    public static NetworkPlan unknown() {
        return User.isRoot() ? of(Mode.LISTEN_ONLY) : NONE;
    }

    /** What was read back may lack a part. */
    public NetworkPlan {
        Objects.requireNonNull(mode);
        addresses = List.copyOf(addresses);
        rebound = List.copyOf(rebound);
        if (addresses.size() > MOST_ADDRESSES) {
            throw new IllegalArgumentException(addresses.size() + " addresses");
        }
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
