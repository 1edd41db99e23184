package io.migrator.it;

import java.util.List;

/**
 * What is on a node: its processes, mounts, nft tables, files in memory, network, instances and
 * Migrator's own files, as sorted lines. Two snapshots of a node that nothing was left on are
 * equal.
 *
 * @param text a line per thing
 */
record Snapshot(String text) {
    /**
     * The snapshot's own session is left out, and those of sshd, which end a moment after their
     * connection; so is criu's cache of what the kernel can do.
     */
    private static final String SCRIPT =
            """
            set -euo pipefail
            LC_ALL=C
            section() { sed "s|^|$1: |" | sort; }
            ps -ww -eo sid=,comm=,args= |
                awk -v own=$$ '$1 != own && $2 !~ /^sshd-/ { $1 = ""; print }' | section process
            section mount </proc/1/mounts
            nft list tables | section nft
            find /dev/shm /dev/mqueue /run /tmp -xdev ! -name criu.kdat -printf '%p %y %m %u\\n' |
                section file
            ip -br link | section link
            ip -br address | section address
            ip -4 route show table all | section route
            { ip -6 route show table all | grep -v -e " expires " -e fe80 ||:; } | section route6
            { ip -4 rule; ip -6 rule; } | section rule
            { ip neighbour show proxy; ip -6 neighbour show proxy; } | section proxy
            { grep -rs '' /proc/sys/net/ipv{4,6}/conf /proc/sys/net/ipv4/ip_* ||:; } | section sysctl
            find /sys/fs/cgroup -type d | section cgroup
            for home in /root /home/*; do
                for place in .migrator .apptainer/instances/app; do
                    [[ ! -d $home/$place ]] || find "$home/$place" ! -type d | section record
                done
            done
            apptainer instance list | tail -n +2 | section instance
            """;

    static List<String> command() {
        return List.of("bash", "-c", SCRIPT);
    }

    /** What only one of the two has; {@code -} for this one, {@code +} for the other. */
    String difference(Snapshot other) {
        List<String> ours = text.lines().toList();
        List<String> theirs = other.text.lines().toList();
        StringBuilder found = new StringBuilder();
        ours.stream()
                .filter(line -> !theirs.contains(line))
                .forEach(line -> found.append("\n- ").append(line));
        theirs.stream()
                .filter(line -> !ours.contains(line))
                .forEach(line -> found.append("\n+ ").append(line));
        return found.toString();
    }
}
