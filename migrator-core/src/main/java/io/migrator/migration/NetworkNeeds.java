package io.migrator.migration;

import io.migrator.network.InetSocket;
import io.migrator.network.NetworkPlan;

import java.util.List;

/**
 * What a job's network needs on the target.
 *
 * @param plan what is to become of it
 * @param sockets of the job, but those of connections within itself
 * @param names of its abstract unix sockets (unix(7)); none where its network is its own
 * @param devices that its sockets are bound to
 * @param mtu of the interfaces its addresses are on, bytes
 */
public record NetworkNeeds(
        NetworkPlan plan,
        List<InetSocket> sockets,
        List<String> names,
        List<String> devices,
        int mtu) {}
