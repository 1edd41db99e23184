package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.handover.Journal;
import io.migrator.handover.SourceJournal;
import io.migrator.handover.TargetJournal;
import io.migrator.linux.Proc;
import io.migrator.linux.User;
import io.migrator.network.AddressMove;
import io.migrator.network.Forwarding;
import io.migrator.network.InetSocket;
import io.migrator.network.InterfaceAddress;
import io.migrator.network.NamespaceState;
import io.migrator.network.NetSpace;
import io.migrator.network.NetworkLock;
import io.migrator.network.NetworkPlan;
import io.migrator.network.TargetNetwork;
import io.migrator.network.UnixSockets;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

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
            if (!needs.own()) {
                List<InetSocket> here = InetSocket.of(Proc.self());
                answers.ports(here, answers.rebound());
                answers.remains(here);
                answers.names(UnixSockets.names(Proc.self()).keySet());
            }
            answers.devices();
            answers.forwarding();
            if (User.isRoot() && needs.plan().keeps()) {
                answers.locks();
            }
            if (User.isRoot() && needs.plan().movesAddresses()) {
                answers.addresses(AddressMove.present(NetSpace.here()));
                answers.peers();
                answers.firewall();
            }
        } catch (IOException e) {
            throw Problem.failed("the network of this node is not seen").because(e.toString());
        }
        return answers.findings;
    }

    private void names(Set<String> here) {
        for (String name : needs.names()) {
            if (here.contains(name)) {
                add(
                        "unix-name",
                        "the unix socket name " + name + " is taken on " + node,
                        "criu: unix: Can't bind: Address already in use",
                        "choose another node, or start the job with its own network (migrator"
                                + " run --net own)");
            }
        }
    }

    private void devices() throws Problem, InterruptedException {
        List<String> up = needs.devices().isEmpty() ? List.of() : AddressMove.devicesUp();
        for (String device : needs.devices()) {
            if (!up.contains(device)) {
                add(
                        "device",
                        "interface " + device + " is not on " + node + ", or is down",
                        "the job's sockets or addresses need it",
                        "choose a node whose interfaces have the same names");
            }
        }
    }

    private void forwarding() throws Problem {
        NamespaceState links = needs.plan().links();
        for (InterfaceAddress each : needs.plan().addresses()) {
            NamespaceState.Link link = links == null ? null : links.link(each.device());
            if (link != null && link.kind() == NamespaceState.Kind.ROUTED) {
                String missing =
                        Forwarding.missing(
                                new InterfaceAddress(each.ip(), each.prefix(), link.parent()));
                if (!missing.isEmpty()) {
                    add(
                            "forwarding",
                            node + " does not forward for " + each.ip(),
                            missing + " is missing there",
                            "sysctl -w " + missing + " there");
                }
            }
        }
    }

    /** A lock of an earlier move would drop what comes for this job. */
    private void locks() throws Problem, InterruptedException {
        for (String id : NetworkLock.present()) {
            if (!mayStand(id)) {
                add(
                        "network-lock",
                        "a lock of migration " + id + " is left on " + node,
                        "it may drop the packets of this job",
                        "migrator recover there; or nft delete table inet " + NetworkLock.name(id));
            }
        }
    }

    /** That of a move under way, which has other addresses. */
    private boolean mayStand(String id) throws Problem {
        try {
            Journal.Contents journal = Journal.peek(Spool.journals(), id);
            NetworkPlan other =
                    journal.head().role() == Journal.Role.SOURCE
                            ? journal.body(SourceJournal.Note.class).network()
                            : journal.body(TargetJournal.Note.class).network();
            List<String> ips = other.addresses().stream().map(InterfaceAddress::ip).toList();
            return needs.plan().addresses().stream().noneMatch(each -> ips.contains(each.ip()));
        } catch (IOException e) {
            return false; // there is no journal of it, or one of no use
        }
    }

    /** Sockets of others; those that nobody has are ended. */
    private void remains(List<InetSocket> here) {
        List<String> ips = needs.plan().addresses().stream().map(InterfaceAddress::ip).toList();
        here.stream()
                .filter(each -> !each.orphaned() && ips.contains(each.local()))
                .findFirst()
                .ifPresent(left ->
                        add(
                                "service-ip",
                                "a program of " + node + " uses " + left.local() + ": " + left,
                                "it would answer in the job's name",
                                "end it there"));
    }

    private void peers() throws Problem, InterruptedException {
        Set<String> peers = new TreeSet<>();
        for (InetSocket each : needs.sockets()) {
            if (each.connects()) {
                peers.add(each.remote());
            }
        }
        for (String peer : peers) {
            if (!AddressMove.reaches(peer)) {
                add(
                        "route",
                        node + " has no route to " + peer,
                        "criu: Can't connect inet socket back: Network is unreachable",
                        "choose another node, or set a route there");
            }
        }
    }

    /** Connections that a firewall has not seen from the first packet on. */
    private void firewall() throws IOException, Problem, InterruptedException {
        Path loose = Path.of("/proc/sys/net/netfilter/nf_conntrack_tcp_loose");
        boolean strict = Files.exists(loose) && Files.readString(loose).strip().equals("0");
        if (strict && NetworkLock.rules().contains("ct state")) {
            add(
                    "conntrack",
                    "the firewall of " + node + " takes no connection that it has not seen begin",
                    "packets for the job's connections would be dropped as invalid",
                    "sysctl net.netfilter.nf_conntrack_tcp_loose=1 there");
        }
    }

    private void ports(List<InetSocket> here, Map<String, String> rebound) {
        List<InetSocket> taken = new ArrayList<>(here);
        for (InetSocket each : needs.sockets()) {
            String ip = rebound.get(each.local());
            InetSocket wanted = ip == null ? each : each.at(ip);
            taken.stream().filter(wanted::clashesWith).findFirst().ifPresent(this::port);
            if (ip != null) {
                taken.add(wanted); // two addresses may become one
            }
        }
    }

    private void port(InetSocket taken) {
        add(
                "port",
                "%s port %d is taken on %s".formatted(taken.protocol(), taken.localPort(), node),
                "criu: Can't bind inet socket: Address already in use",
                "choose another node, or start the job with its own network (migrator run --net"
                        + " own)");
    }

    /** Where what listens at an address of the source is to listen here. */
    private Map<String, String> rebound() throws Problem, InterruptedException {
        Map<String, String> here = TargetNetwork.rebound(needs.plan());
        for (InterfaceAddress each : needs.plan().rebound()) {
            if (!here.containsKey(each.ip())) {
                add(
                        "bound-address",
                        "%s of %s has not one address of its own in place of %s"
                                .formatted(each.device(), node, each.ip()),
                        "the job listens at that one",
                        "choose a node whose interfaces have the same names and networks");
            }
        }
        return here;
    }

    private void addresses(List<InterfaceAddress> here) throws Problem, InterruptedException {
        for (InterfaceAddress wanted : needs.plan().addresses()) {
            AddressMove.Interface theirs = needs.interfaces().get(wanted.device());
            if (here.stream().anyMatch(each -> each.ip().equals(wanted.ip()))) {
                add(
                        "service-ip",
                        wanted.ip() + " is on " + node + " already",
                        "it cannot be at two places",
                        "remove it there: ip address del "
                                + wanted.withPrefix()
                                + " dev "
                                + wanted.device());
            } else if (theirs != null && findings.stream().noneMatch(this::isOfDevice)) {
                neighbours(wanted, theirs);
            }
        }
    }

    private boolean isOfDevice(Finding finding) {
        return finding.check().equals("device");
    }

    private void neighbours(InterfaceAddress wanted, AddressMove.Interface theirs)
            throws Problem, InterruptedException {
        String answers = AddressMove.whoHas(wanted);
        if (answers.isEmpty()) {
            warn(
                    "service-ip",
                    "nobody answers for %s on %s of %s"
                            .formatted(wanted.ip(), wanted.device(), node),
                    "it may be another network than on the source",
                    "ask for its neighbours there: ip neighbour");
        } else if (!answers.equals(theirs.hardware())) {
            add(
                    "service-ip",
                    "another machine has %s, too: %s".formatted(wanted.ip(), answers),
                    "its neighbours would talk to either",
                    "give the job an address of its own");
        }
        int mtu = AddressMove.describe(wanted.device()).mtu();
        if (mtu < theirs.mtu()) {
            warn(
                    "mtu",
                    "%s of %s has an MTU of %d, here it is %d"
                            .formatted(wanted.device(), node, mtu, theirs.mtu()),
                    "connections go on, with smaller packets",
                    "set the same MTU");
        }
    }

    private void warn(String check, String what, String because, String tryThis) {
        findings.add(Finding.warning(check, what, because, tryThis));
    }

    private void add(String check, String what, String because, String tryThis) {
        findings.add(Finding.forbidden(check, what, because, tryThis));
    }
}
