package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.linux.Proc;
import io.migrator.linux.User;
import io.migrator.network.AddressMove;
import io.migrator.network.InetSocket;
import io.migrator.network.InterfaceAddress;
import io.migrator.network.NetSpace;
import io.migrator.network.NetworkPlan.Mode;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Whether this node can give a job the network it needs; changes nothing. */
final class NetworkAnswers {
    private final NetworkNeeds needs;
    private final String node;
    private final List<Finding> findings = new ArrayList<>();

    private NetworkAnswers(NetworkNeeds needs, String node) {
        this.needs = needs;
        this.node = node;
    }

    /** What forbids it. */
    static List<Finding> of(NetworkNeeds needs, String node) throws Problem, InterruptedException {
        NetworkAnswers answers = new NetworkAnswers(needs, node);
        try {
            if (needs.plan().mode() != Mode.OWN) {
                answers.ports(InetSocket.of(Proc.self()));
            }
            if (User.isRoot() && needs.plan().movesAddresses()) {
                answers.addresses(AddressMove.present(NetSpace.here()));
            }
        } catch (IOException e) {
            throw Problem.failed("the network of this node is not seen").because(e.toString());
        }
        return answers.findings;
    }

    private void ports(List<InetSocket> here) {
        for (InetSocket wanted : needs.sockets()) {
            here.stream()
                    .filter(wanted::clashesWith)
                    .findFirst()
                    .ifPresent(taken ->
                            add(
                                    "port",
                                    "%s port %d is taken on %s"
                                            .formatted(taken.protocol(), taken.localPort(), node),
                                    "criu: Can't bind inet socket: Address already in use",
                                    "choose another node, or start the job with its own network"
                                            + " (migrator run --net own)"));
        }
    }

    private void addresses(List<InterfaceAddress> here) throws Problem, InterruptedException {
        for (InterfaceAddress wanted : needs.plan().addresses()) {
            if (here.stream().anyMatch(each -> each.ip().equals(wanted.ip()))) {
                add(
                        "service-ip",
                        wanted.ip() + " is on " + node + " already",
                        "it cannot be at two places",
                        "remove it there: ip address del "
                                + wanted.withPrefix()
                                + " dev "
                                + wanted.device());
            }
        }
    }

    private void add(String check, String what, String because, String tryThis) {
        findings.add(Finding.forbidden(check, what, because, tryThis));
    }
}
