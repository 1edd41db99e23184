package io.migrator.migration;

import io.migrator.instance.Instance;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.Proc;
import io.migrator.network.InetSocket;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The sockets of a job, and which process has which. */
final class JobSockets {
    private final Map<String, Member> holders = new HashMap<>();
    private final List<InetSocket> all = new ArrayList<>();

    /** Looks. */
    static JobSockets of(Instance instance, ProcessTree tree) throws IOException {
        JobSockets sockets = new JobSockets();
        sockets.hold(tree);
        InetSocket.of(new Proc(instance.appinit())).stream()
                .filter(sockets::has)
                .forEach(sockets.all::add);
        return sockets;
    }

    /** Takes note of what the processes have now; what they had they are still taken to have. */
    void hold(ProcessTree tree) {
        for (Member member : tree.members()) {
            try {
                member.process()
                        .descriptors()
                        .values()
                        .forEach(link -> holders.putIfAbsent(link, member));
            } catch (IOException e) {
                // it ended while we looked
            }
        }
    }

    /** Those of the internet's protocols, as they were when it was looked. */
    List<InetSocket> all() {
        return all;
    }

    /** All that the job has open, as /proc/PID/fd calls it. */
    Set<String> links() {
        return holders.keySet();
    }

    /** Whether it is the job's. */
    boolean has(InetSocket socket) {
        return holders.containsKey(socket.link());
    }

    /** Whose it is, for a message. */
    String who(InetSocket socket) {
        Member member = holders.get(socket.link());
        return member == null
                ? "a process"
                : "process %d (%s)".formatted(member.pid(), member.name());
    }
}
