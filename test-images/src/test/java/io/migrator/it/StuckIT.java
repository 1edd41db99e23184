package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A process that waits in the kernel, so that nobody can stop it: clone(2), CLONE_VFORK. */
class StuckIT {
    private static final int REFUSED = 3;
    private static final String GO = "/shared/it/go";
    private static final String WENT = "/shared/it/went";

    /** Its child waits so as soon as there is a file "go". */
    private static final String PROGRAM =
            "select undef, undef, undef, .01 until -e '%s'; if (!fork) { syscall 56, 0x4011, 0, 0,"
                    + " 0, 0; sleep 1000; exit } sleep 1; open F, '>', '%s'; syswrite F, 'x';"
                    + " sleep 1000";

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    /** The others stand still for seconds, not for good. */
    @Test
    void itEndsTheMoveAndHoldsUpNobody() throws Exception {
        NODES.bash(N1, "mkdir -p -m 1777 /shared/it; rm -f %s %s".formatted(GO, WENT));
        NODES.start(N1, "job", List.of(), "perl", "-e", PROGRAM.formatted(GO, WENT));
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_PREPARED);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
        blow.await(moving);
        NODES.bash(N1, "touch " + GO);
        NODES.awaitFile(N1, WENT);
        blow.release();
        Moved moved = moving.get(60, TimeUnit.SECONDS);
        blow.heal();
        moved.failedWithJobOn(N1);
        assertTrue(moved.err().contains("did not stop in time"), moved.err());
        assertEquals("D S S", NODES.bash(N1, "ps -C perl -o stat= | cut -c1 | sort | xargs"));
        NODES.migrate(N1, "job").refused(REFUSED);
        NODES.stop(N1, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }
}
