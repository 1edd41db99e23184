package io.migrator.migration;

import io.migrator.network.AddressMove;
import io.migrator.network.InetSocket;
import io.migrator.network.NetworkPlan;

import java.util.List;
import java.util.Map;

/**
 * What a job's network needs on the target.
 *
 * @param plan what is to become of it
 * @param sockets of the job, but those of connections within itself
 * @param names of its abstract unix sockets (unix(7)); none where its network is its own
 * @param devices that its sockets are bound to, or its links hang on
 * @param interfaces that its addresses are on, by name
 * @param own true if it has a network namespace of its own
 */
public record NetworkNeeds(
        NetworkPlan plan,
        List<InetSocket> sockets,
        List<String> names,
        List<String> devices,
        Map<String, AddressMove.Interface> interfaces,
        boolean own) {}
