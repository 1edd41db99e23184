package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import io.migrator.fault.FaultPoint;
import io.migrator.linux.Command;

import java.time.Duration;
import java.util.concurrent.Future;

/** Holds a migration at a point, deals the fault from outside, and puts things right again. */
final class FaultBlow {
    private static final Duration STOPPED = Duration.ofSeconds(30);
    private static final Duration CUT = Duration.ofSeconds(5);
    private static final Duration REACH = Duration.ofSeconds(40);

    /** In which whoever is not held gets to where it has to wait. */
    private static final Duration SETTLE = Duration.ofMillis(300);

    private static final String ARM =
            "mkdir -p -m 1777 /run/migrator-fault; echo %s=hold >/etc/migrator-fault";
    private static final String AWAIT =
            "for i in {1..50}; do [[ -s %s ]] && exit 0; sleep 0.02; done; exit 1";

    /** Signals the program that migrates or receives, or what it started. */
    private static final String SIGNAL =
            """
            role=$1 victim=$2 signal=$3
            children() { ps --ppid "$1" -o pid=,comm= | awk -v name="$2" 'name == "" || $2 == name { print $1 }'; }
            jvm=$(ps -ww -eo pid=,comm=,args= |
                awk -v role="$role" '$2 == "java" && $0 ~ "migrator.jar " role "( |$)" { print $1 }')
            [[ $jvm =~ ^[0-9]+$ ]] || { echo "not one JVM that does $role: $jvm"; exit 9; }
            foothold=$(for each in $jvm $(children "$jvm" sudo); do children "$each" foothold; done)
            criu=$(for each in $foothold; do children "$each" ""; done)
            case $victim in
                jvm) all=$jvm ;;
                criu) all=$criu ;;
                foothold) all=$foothold ;;
                side) all="$foothold $criu $jvm" ;;
            esac
            [[ -n $all && ( $victim != side || -n $criu ) ]] || { echo "no $victim"; exit 9; }
            kill -s "$signal" $all
            """;

    private static final String FILL =
            """
            used=$(df -B1 --output=used /dev/shm | tail -n 1)
            mount -o remount,size=$((used + 65536)) /dev/shm || exit 9
            dd if=/dev/zero of=/dev/shm/migrator-fault-fill bs=4k status=none
            [[ $(df --output=avail /dev/shm | tail -n 1) -eq 0 ]]
            """;

    private static final String HEAL =
            """
            rm -rf /etc/migrator-fault /run/migrator-fault /dev/shm/migrator-fault-fill
            mount -o remount,size=50% /dev/shm
            """;

    private final TwoNodes nodes;
    private final FaultPoint point;
    private final String node;

    FaultBlow(TwoNodes nodes, FaultPoint point) {
        this.nodes = nodes;
        this.point = point;
        this.node = point.ofSource() ? N1 : N2;
    }

    void arm() throws Exception {
        nodes.bash(node, ARM.formatted(point.text()));
    }

    /** Returns when the migration is held there. */
    void await(Future<Moved> moving) throws Exception {
        long end = System.nanoTime() + REACH.toNanos();
        while (nodes.run(node, "bash", "-c", AWAIT.formatted(file())).exit() != 0) {
            if (moving.isDone()) {
                throw new AssertionError("not reached: " + moving.get());
            }
            if (System.nanoTime() > end) {
                throw new AssertionError("not reached in time");
            }
        }
        Thread.sleep(SETTLE);
    }

    /** Deals the fault, lets the migration go on, and ends what is to end by itself. */
    void strike(Fault fault) throws Exception {
        switch (fault) {
            case SOURCE_JVM -> signal(true, "jvm", "KILL");
            case SOURCE_CRIU -> signal(true, "criu", "KILL");
            case SOURCE_FOOTHOLD -> signal(true, "foothold", "KILL");
            case SOURCE_SIDE -> signal(true, "side", "KILL");
            case RECEIVER -> signal(false, "jvm", "KILL");
            case TARGET_CRIU -> signal(false, "criu", "KILL");
            case TARGET_SIDE -> signal(false, "side", "KILL");
            case SSH -> nodes.bash(N2, "pkill -KILL -x sshd-session");
            case CUT, CUT_5S -> nodes.link(node, "down");
            case FULL -> nodes.bash(node, FILL);
            case STOP_OWN, STOP_OTHER -> signal(fault.atSource(point), "jvm", "STOP");
        }
        Thread.sleep(SETTLE);
        release();
        switch (fault) {
            case STOP_OWN, STOP_OTHER -> {
                Thread.sleep(STOPPED);
                signal(fault.atSource(point), "jvm", "CONT");
            }
            case CUT_5S -> {
                Thread.sleep(CUT);
                nodes.link(node, "up");
            }
            default -> {}
        }
    }

    /** Lets the migration go on. */
    void release() throws Exception {
        nodes.bash(node, "rm -f " + file());
    }

    /** Signals what migrates or receives: {@code jvm}, {@code criu}, {@code foothold}, or all. */
    void signal(boolean atSource, String victim, String signal) throws Exception {
        String role = atSource ? "(migrate|rehearse|checkpoint)" : "receive";
        Command.Result result =
                nodes.run(atSource ? N1 : N2, "bash", "-c", SIGNAL, "bash", role, victim, signal);
        if (result.exit() != 0) {
            throw new AssertionError("no " + victim + " at " + role + ": " + result.out());
        }
    }

    /** Both nodes are as they were before the fault, but for what it did to the migration. */
    void heal() throws Exception {
        for (String each : TwoNodes.BOTH) {
            nodes.link(each, "up");
            nodes.bash(each, HEAL);
        }
    }

    private String file() {
        return "/run/migrator-fault/" + point.text();
    }
}
