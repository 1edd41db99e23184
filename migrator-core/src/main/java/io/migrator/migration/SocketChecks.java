package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.ForeignSocket;
import io.migrator.linux.ForeignSocket.Option;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;
import io.migrator.network.Multicast;
import io.migrator.network.NetSpace;
import io.migrator.network.UnixSockets;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What criu would lose or not dump of a job's sockets, beside their addresses. */
final class SocketChecks {
    /** What criu says nothing of and does not set again. */
    private static final List<Option> LOST =
            List.of(Option.TCP_DEFER_ACCEPT, Option.TCP_USER_TIMEOUT);

    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_RAW = 3;
    private static final int IPPROTO_TCP = 6;
    private static final int IPPROTO_UDP = 17;
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;

    private final List<Multicast.Group> groups;
    private final UnixSockets.Connected connected;
    private final List<Finding> findings = new ArrayList<>();
    private final Set<String> devices = new TreeSet<>();
    private final Set<String> seen = new HashSet<>();

    private SocketChecks(List<Multicast.Group> groups, UnixSockets.Connected connected) {
        this.groups = groups;
        this.connected = connected;
    }

    /** Looks; changes nothing. */
    static SocketChecks of(Instance instance, ProcessTree tree, Set<String> links)
            throws Problem, InterruptedException, IOException {
        SocketChecks checks =
                new SocketChecks(
                        Multicast.of(new Proc(instance.appinit())),
                        UnixSockets.connected(NetSpace.of(instance), links));
        for (Member member : tree.members()) {
            try (PidFd held = PidFd.open(member.process().pid())) {
                checks.look(member, held);
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        return checks;
    }

    List<Finding> findings() {
        return findings;
    }

    /** Interfaces that sockets are bound to. */
    List<String> devices() {
        return List.copyOf(devices);
    }

    private void look(Member member, PidFd held) throws IOException {
        for (Map.Entry<Integer, String> each : member.process().descriptors().entrySet()) {
            if (!each.getValue().startsWith("socket:") || !seen.add(each.getValue())) {
                continue;
            }
            if (connected.unaccepted().contains(each.getValue())) {
                add(
                        "unaccepted",
                        member,
                        "has sent something on a unix connection that nobody has accepted yet",
                        "criu: unix: Non-empty write queue on an in-flight socket",
                        "try again when it was accepted");
            }
            if (connected.outside().contains(each.getValue())) {
                add(
                        "outside-unix",
                        member,
                        "is connected by a unix socket to a program outside the instance",
                        "criu: External socket is used; the other half stays on this node",
                        "end that connection for the move (syslog, a database on the node)");
            }
            try (ForeignSocket socket = ForeignSocket.of(held, each.getKey())) {
                look(member, socket);
            } catch (IOException e) {
                // it was closed while we looked
            }
        }
    }

    private void look(Member member, ForeignSocket socket) throws IOException {
        int family = socket.get(Option.DOMAIN);
        if (family != AF_INET && family != AF_INET6) {
            return;
        }
        String device = socket.device();
        if (!device.isEmpty()) {
            devices.add(device);
        }
        if (socket.get(Option.PROTOCOL) == IPPROTO_TCP) {
            options(member, socket);
        }
        int type = socket.get(Option.TYPE);
        if (type == SOCK_DGRAM
                && socket.get(Option.PROTOCOL) == IPPROTO_UDP
                && socket.get(Option.UDP_CORK) != 0) {
            add(
                    "corked",
                    member,
                    "is putting together a datagram (UDP_CORK)",
                    "criu: inet: Can't dump corked dgram socket",
                    "try again when it was sent");
        }
        if (type == SOCK_DGRAM && socket.hasMore()) {
            findings.add(
                    Finding.warning(
                            "unread-datagrams",
                            "process %d (%s) has not read all datagrams that came"
                                    .formatted(member.pid(), member.name()),
                            "criu drops what waits in such a socket, as any network may",
                            "nothing need be done where its peers send again what is lost"));
        }
        boolean member4or6 =
                (type == SOCK_DGRAM || type == SOCK_RAW)
                        && groups.stream()
                                .anyMatch(each -> socket.isMember(each.device(), each.group()));
        if (member4or6) {
            add(
                    "multicast",
                    member,
                    "is a member of a multicast group",
                    "criu says nothing and loses it: it would hear no more of it",
                    "let it leave the group for the move");
        }
    }

    private void options(Member member, ForeignSocket socket) throws IOException {
        for (Option each : LOST) {
            if (socket.get(each) != 0) {
                findings.add(
                        Finding.warning(
                                "socket-options",
                                "process %d (%s) has set %s of a socket to %d"
                                        .formatted(
                                                member.pid(),
                                                member.name(),
                                                each,
                                                socket.get(each)),
                                "criu does not set it again, and says nothing",
                                "nothing need be done where the kernel's usual one will do"));
            }
        }
    }

    private void add(String check, Member member, String has, String because, String tryThis) {
        String who = "process %d (%s) ".formatted(member.pid(), member.name());
        findings.add(Finding.forbidden(check, who + has, because, tryThis));
    }
}
