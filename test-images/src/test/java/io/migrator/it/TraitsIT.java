package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** What a process may and has been set to is the same after the move, or it does not move. */
class TraitsIT {
    private static final int REFUSED = 3;

    private static final String SET =
            "ulimit -n 512; ulimit -c 100; ulimit -s 4096; umask 027;"
                    + " echo 300 >/proc/self/oom_score_adj; echo 0x33 >/proc/self/coredump_filter;"
                    + " exec nice -n 5 ionice -c 2 -n 7 taskset 1 sleep 1003";

    private static final String TOLD =
            """
            pid=$(pgrep -x -f 'sleep 1003')
            cd /proc/$pid
            grep -E '^(Umask|Uid|Gid|Groups|Cap|NoNew|Seccomp|Cpus_allowed_list|THP)' status
            cat limits
            cut -d' ' -f18,19,40,41 stat
            cat oom_score_adj coredump_filter timerslack_ns
            ionice -p $pid
            """;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private static Person person(String user) {
        return user.equals("root") ? NODES : NODES.as("alice");
    }

    private static List<String> mode(String user) {
        return user.equals("alice") ? List.of("--userns") : List.of();
    }

    @BeforeAll
    static void installEntry() throws Exception {
        NODES.setUp();
    }

    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"alice", "root"})
    void allOfItMovesOfOthers(String user) throws Exception {
        allOfItMoves(user);
    }

    @ParameterizedTest
    @ValueSource(strings = "setuid")
    void allOfItMoves(String user) throws Exception {
        Person person = person(user);
        person.start(N1, "job", mode(user), "sh", "-c", SET);
        NODES.bash(N1, "until pgrep -x -f 'sleep 1003'; do sleep 0.05; done");
        String before = NODES.bash(N1, TOLD);
        assertTrue(before.contains("Cpus_allowed_list:\t0\n"), before);
        for (String from : TwoNodes.BOTH) {
            person.migrate(from, "job").well();
            assertEquals(before, NODES.bash(TwoNodes.other(from), TOLD));
        }
        person.stop(N1, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    /** criu would lower it and say nothing. */
    @Test
    void aLimitThatWouldBeLowerIsFoundBefore() throws Exception {
        Person alice = NODES.as("alice");
        alice.startPattern(N1, "job", mode("alice"), 16);
        NODES.bash(
                N2,
                "printf '#!/bin/bash\\nulimit -n 1000\\nexec migrator \"$@\"\\n' >/srv/it/low;"
                        + " chmod 755 /srv/it/low");
        Snapshot before = NODES.snapshot(N1);
        Moved moved = alice.migrate(N1, "job", "--remote-program", "/srv/it/low");
        moved.refused(REFUSED);
        assertTrue(moved.err().contains("open files"), moved.err());
        NODES.assertAs(N1, before);
    }
}
