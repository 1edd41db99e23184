package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Locks of a job on files: nobody gets one that the job believes it has. A job does not go with one
 * on a file of a shared file system; with one in its run directory it does, and still has it.
 */
class LockIT {
    private static final int REFUSED = 3;
    private static final String SHARED = "/shared/lock-it";
    private static final String OWN = TwoNodes.directory("job");

    /**
     * {@code take} holds, {@code wait} waits for a lock and says that it got it, {@code try} tells
     * whether it is free. Kind {@code late} is a POSIX lock taken when a file "go" appears.
     */
    private static final String LOCKS =
            """
            import fcntl, os, struct, sys, time
            what, directory, kinds = sys.argv[1], sys.argv[2], sys.argv[3:]
            def lock(kind, wait):
                file = os.open(directory + '/' + kind, os.O_RDWR | os.O_CREAT, 0o666)
                if kind == 'flock':
                    fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                elif kind == 'ofd':
                    whole = struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0)
                    fcntl.fcntl(file, fcntl.F_OFD_SETLKW if wait else fcntl.F_OFD_SETLK, whole)
                else:
                    fcntl.lockf(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            for kind in kinds:
                if kind == 'late':
                    while not os.path.exists(directory + '/go'):
                        time.sleep(0.001)
                if what == 'try':
                    try:
                        lock(kind, False)
                        print(kind, 'free')
                    except OSError:
                        print(kind, 'held')
                    continue
                lock(kind, what == 'wait')
                open(directory + '/' + kind + '.' + what, 'w').write('got it')
            while what == 'take':
                time.sleep(0.1)
            """;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private static void startHolder(String directory, String... kinds) throws Exception {
        NODES.bash(N1, "rm -rf %s && mkdir -m 777 %s".formatted(SHARED, SHARED));
        List<String> command = new ArrayList<>(List.of("python3", "-c", LOCKS, "take", directory));
        command.addAll(List.of(kinds));
        NODES.start(N1, "job", List.of(), command.toArray(String[]::new));
    }

    private static String tried(String node, String directory, String... kinds) throws Exception {
        List<String> command = new ArrayList<>(List.of("python3", "-c", LOCKS, "try", directory));
        command.addAll(List.of(kinds));
        return NODES.out(node, command.toArray(String[]::new));
    }

    @ParameterizedTest
    @CsvSource({
        "flock, an flock(2) lock",
        "posix, a POSIX lock",
        "ofd, an open file description lock"
    })
    void aLockOnASharedFileIsRefusedAndNoWaiterGetsIt(String kind, String said) throws Exception {
        startHolder(SHARED, kind);
        NODES.awaitFile(N1, SHARED + "/" + kind + ".take");
        NODES.out(
                N2,
                "bash",
                "-c",
                "setsid python3 -c \"$1\" wait " + SHARED + " " + kind + " >/dev/null 2>&1 &",
                "bash",
                LOCKS);
        Moved moved = NODES.migrate(N1, "job");
        moved.refused(REFUSED);
        for (String word : List.of("python3", said, SHARED + "/" + kind)) {
            assertTrue(moved.err().contains(word), moved.err());
        }
        assertEquals(kind + " held", tried(N2, SHARED, kind));
        assertEquals("", NODES.bash(N2, "ls " + SHARED + " | grep wait || true"));

        NODES.stop(N1, "job");
        NODES.awaitFile(N2, SHARED + "/" + kind + ".wait"); // so it did wait
    }

    /** It is seen in the images when nothing can change any more. */
    @Test
    void aLockTakenAfterTheLastLookStopsTheMove() throws Exception {
        startHolder(SHARED, "late");
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_PREPARED);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
        blow.await(moving);
        NODES.bash(N1, "touch " + SHARED + "/go");
        NODES.awaitFile(N1, SHARED + "/late.take");
        blow.release();
        Moved moved = moving.get(60, TimeUnit.SECONDS);
        blow.heal();
        moved.failedWithJobOn(N1);
        for (String word : List.of("took a file lock while it was being moved", SHARED + "/late")) {
            assertTrue(moved.err().contains(word), moved.err());
        }
        assertEquals("late held", tried(N2, SHARED, "late"));
        NODES.payload(N1, "job");
    }

    @Test
    void locksInTheRunDirectoryGoAndAreHeldThere() throws Exception {
        String[] kinds = {"flock", "posix", "ofd"};
        String held = "flock held\nposix held\nofd held";
        startHolder(OWN, kinds);
        NODES.awaitFile(N1, OWN + "/ofd.take");
        assertEquals(held, tried(N1, OWN, kinds));
        for (String from : TwoNodes.BOTH) {
            NODES.migrate(from, "job").well();
            assertEquals(held, tried(TwoNodes.other(from), OWN, kinds));
        }
        NODES.stop(N1, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }
}
