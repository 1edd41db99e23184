package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Instances that were started the normal way, by a start script or with programs of {@code
 * apptainer exec}: all of them goes over, or it is refused by name and nothing happens.
 */
class AdoptionIT {
    private static final int REFUSED = 3;
    private static final String COUNT = "/shared/it/count";

    private static final String COUNTER =
            """
            import sys, time
            n = 0
            while True:
                n += 1
                print(n, flush=True)
                open('%s', 'w').write(str(n))
                time.sleep(0.05)
            """
                    .formatted(COUNT);

    private static final String PIPELINE =
            "(i=0; while :; do i=$((i + 1)); echo $i; sleep 0.05; done) | cat | sed -u s/^/0/"
                    + " | while read l; do echo $l >%s; done".formatted(COUNT);

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private Person user;
    private String start;
    private String exec;

    @BeforeAll
    static void installEntry() throws Exception {
        NODES.setUp();
    }

    /** "setuid" is alice with an instance of Apptainer's setuid starter. */
    private void as(String who) throws Exception {
        user = who.equals("root") ? NODES : NODES.as("alice");
        String mode = who.equals("alice") ? " --userns" : "";
        start = "apptainer -q instance start" + mode + " --bind /shared ";
        exec = "(apptainer -q exec" + mode + " instance://job sh -c '%s'%s &)";
        NODES.bash(N1, "mkdir -p -m 1777 /shared/it && rm -f /shared/it/fifo " + COUNT);
    }

    private void startEmpty() throws Exception {
        user.bash(N1, start + TwoNodes.IMAGE + " job");
    }

    private int count(String node) throws Exception {
        // empty for a moment each time it is written anew
        return Integer.parseInt(user.bash(node, "until grep . " + COUNT + "; do :; done"));
    }

    private void assertCounts(String node) throws Exception {
        int first = count(node);
        Thread.sleep(1000);
        int second = count(node);
        assertTrue(second > first && second < first + 40, first + ", then " + second);
    }

    private void assertGoes(int leastProcesses) throws Exception {
        user.awaitFile(N1, COUNT);
        for (String from : TwoNodes.BOTH) {
            Moved moved = user.migrate(from, "job");
            assertEquals(0, moved.exit(), moved.err());
            String to = TwoNodes.other(from);
            assertCounts(to);
            JsonNode listed = user.listed(to, "job");
            assertTrue(listed.path("processes").asInt() >= leastProcesses, listed::toString);
        }
        user.out(N1, "apptainer", "instance", "stop", "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    private void assertRefused(String said) throws Exception {
        Snapshot before = NODES.snapshot(N1);
        Moved moved = user.migrate(N1, "job");
        moved.refused(REFUSED);
        assertTrue(moved.err().contains(said), moved.err());
        NODES.assertAs(N1, before);
        NODES.assertAsBefore(N2);
    }

    /** Its output goes to Apptainer's log files, in view inside or not. */
    @ParameterizedTest
    @ValueSource(strings = {"root", "alice --no-home"})
    void startScript(String who) throws Exception {
        startScriptOf(who);
    }

    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"alice", "setuid", "root --no-home", "setuid --no-home"})
    void startScriptElsewhere(String who) throws Exception {
        startScriptOf(who);
    }

    private void startScriptOf(String who) throws Exception {
        String[] words = who.split(" ", 2);
        as(words[0]);
        String sandbox = "/shared/it/start";
        NODES.as("alice")
                .bash( // "build" as root wants more capabilities than every machine has
                        N1,
                        "[[ -d %1$s ]] || apptainer build --sandbox %1$s %2$s >/dev/null 2>&1"
                                .formatted(sandbox, TwoNodes.IMAGE));
        NODES.as("alice")
                .bash(
                        N1,
                        "printf '#!/bin/sh\\nexec python3 /count.py\\n' >%1$s/.singularity.d/startscript;"
                                        .formatted(sandbox)
                                + " chmod 755 %1$s/.singularity.d/startscript; cat >%1$s/count.py <<'END'\n%2$sEND"
                                        .formatted(sandbox, COUNTER));
        user.bash(N1, start + (words.length > 1 ? words[1] + " " : "") + sandbox + " job");
        user.awaitFile(N1, COUNT);
        int before = count(N1);
        Moved moved = user.migrate(N1, "job");
        assertEquals(0, moved.exit(), moved.err());
        assertCounts(N2);
        String log = "~/.apptainer/instances/logs/n2/$(id -un)/job.out";
        int first = Integer.parseInt(user.bash(N2, "head -n 1 " + log));
        assertTrue(first > before && first <= count(N2), first + " after " + before);
        user.migrate(N2, "job");
        assertCounts(N1);
        user.out(N1, "apptainer", "instance", "stop", "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    @Test
    void pipelineOfExec() throws Exception {
        pipelineOfExec("setuid");
    }

    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"alice", "root"})
    void pipelineOfExec(String who) throws Exception {
        as(who);
        startEmpty();
        user.bash(N1, exec.formatted(PIPELINE.replace("'", ""), " </dev/null >/dev/null 2>&1"));
        user.awaitFile(N1, COUNT);
        assertGoes(5); // and perhaps a sleep
    }

    /** Nobody can make it leave its session, which is led from outside. */
    @Test
    void zombieOfAnotherSession() throws Exception {
        as("alice");
        startEmpty();
        String program = "(sleep 0 & exec sleep 1000)";
        user.bash(N1, exec.formatted(program, " </dev/null >/dev/null 2>&1"));
        NODES.bash(N1, "until pgrep -x -f 'sleep 1000' && pgrep -r Z sleep; do sleep 0.05; done");
        assertRefused("its parent does not ask how");
    }

    @Test
    void daemonBesideTheProgram() throws Exception {
        daemonBesideTheProgram("alice");
    }

    /** It leaves the tree: nobody is its parent but appinit. */
    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"root", "setuid"})
    void daemonBesideTheProgram(String who) throws Exception {
        as(who);
        startEmpty();
        String program = "(setsid -f sleep 1000); exec sleep 1001";
        user.bash(N1, exec.formatted(program, " </dev/null >/dev/null 2>&1"));
        NODES.bash(N1, "until pgrep -x -f 'sleep 1001'; do sleep 0.05; done");
        assertRefused("several process trees");
    }

    /** Its filter would see what is called in it to make it a leader. */
    @Test
    void programWithASeccompFilter() throws Exception {
        as("setuid");
        startEmpty();
        Kinds.put(NODES);
        String program = "exec perl %s \"seccomp filter\" /tmp /tmp".formatted(Kinds.PROGRAM);
        user.bash(N1, exec.formatted(program, " </dev/null >/dev/null 2>&1"));
        user.awaitFile(N1, "/tmp/state");
        assertRefused("cannot be given a session of its own");
        NODES.bash(N1, "pkill -KILL perl; rm -f /tmp/state");
    }

    /** Its owner may not look at it (PR_SET_DUMPABLE), and yet it may not be left behind. */
    @Test
    void daemonThatHides() throws Exception {
        as("setuid");
        startEmpty();
        String program =
                "(setsid -f perl -e \"syscall 157, 4, 0, 0, 0, 0; sleep 1005\"); exec sleep 1001";
        user.bash(N1, exec.formatted(program, " </dev/null >/dev/null 2>&1"));
        NODES.bash(N1, "until pgrep -x -f 'sleep 1001' && pgrep -x perl; do sleep 0.05; done");
        assertRefused("several process trees");
    }

    @Test
    void twoTreesWithAPipeBetweenThem() throws Exception {
        twoTreesWithAPipeBetweenThem("root");
    }

    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"alice", "setuid"})
    void twoTreesWithAPipeBetweenThem(String who) throws Exception {
        as(who);
        startEmpty();
        user.bash(N1, "rm -f /shared/it/fifo; mkfifo /shared/it/fifo");
        user.bash(N1, exec.formatted("exec sleep 1003 >/shared/it/fifo", " </dev/null 2>&0"));
        user.bash(N1, exec.formatted("exec cat /shared/it/fifo", " </dev/null >/dev/null 2>&1"));
        NODES.bash(N1, "until pgrep -x -f 'sleep 1003' && pgrep -x cat; do sleep 0.05; done");
        assertRefused("several process trees");
    }

    @Test
    void pipeToOutside() throws Exception {
        pipeToOutside("setuid");
    }

    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = {"alice", "root"})
    void pipeToOutside(String who) throws Exception {
        as(who);
        startEmpty();
        user.bash(
                N1,
                "(sleep 1002 | "
                        + exec.formatted("exec cat", " >/dev/null 2>&1").replace("&)", ")")
                        + ") >/dev/null 2>&1 &");
        NODES.bash(N1, "until pgrep -x cat; do sleep 0.05; done");
        assertRefused("has a pipe to process");
        NODES.bash(N1, "pkill -KILL -x -f 'sleep 1002'");
    }
}
