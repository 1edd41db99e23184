package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.instance.Instance;
import io.migrator.instance.StartOptions;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** This JVM stands for the first process of the instance: its owner is who runs the test. */
class ImageOwnerTest {
    private static final int UID = 1;
    private static final int EGID = 4;
    private static final int CAP_INH = 9;
    private static final int CAP_PRM = 10;
    private static final int SECURE_BITS = 13;
    private static final int GROUPS = 14;
    private static final int NO_NEW_PRIVILEGES = 18;

    /** No kernel has it, so nobody has it. */
    private static final long CAPABILITY_62 = 1L << (62 - 32);

    @TempDir Path images;
    private ProtoMessage own = ProtoMessage.empty();

    @BeforeEach
    void ownCredentials() throws IOException {
        Proc self = Proc.self();
        own = ProtoMessage.empty();
        for (int id = UID; id <= 7; id += 2) {
            own = own.with(id, self.uid()).with(id + 1, self.statusNumbers("Gid").getFirst());
        }
        own = own.with(SECURE_BITS, 0).with(NO_NEW_PRIVILEGES, 1);
        for (long group : self.statusNumbers("Groups")) {
            own = own.with(GROUPS, group);
        }
        for (int id = CAP_INH; id <= 12; id++) {
            own = own.with(id, 0).with(id, 0);
        }
    }

    private void compare(ProtoMessage... credentials) throws IOException, Problem {
        ProtoMessage thread = ProtoMessage.empty();
        for (ProtoMessage each : credentials) {
            thread = thread.with(10, each);
        }
        compareCore(ProtoMessage.empty().with(1, 1).with(5, thread));
    }

    private void compareCore(ProtoMessage core) throws IOException, Problem {
        new ImageFile(1, List.of(core)).write(images.resolve("core-21.img"));
        ImageOwner.orForeign(images, instance());
    }

    private static Instance instance() throws IOException {
        StartOptions start = new StartOptions("/i.sif", List.of(), Map.of(), List.of());
        Proc self = Proc.self();
        return new Instance(
                "job", "me", self.pid(), self.startTime(), Path.of("/i.sif"), false, start);
    }

    private void refused(String because, UnaryOperator<ProtoMessage> change) {
        Problem problem = assertThrows(Problem.class, () -> compare(change.apply(own)));
        assertTrue(problem.getMessage().contains(because), problem::getMessage);
    }

    @Test
    void theOwnersOwnAreTaken() {
        assertDoesNotThrow(() -> compare(own));
    }

    @Test
    void anotherUser() {
        refused("user ids", creds -> creds.without(UID).with(UID, 4711));
        refused("user ids", creds -> creds.with(UID, 4711)); // the last of two counts
        refused("group ids", creds -> creds.with(EGID, 4711));
        refused("groups", creds -> creds.with(GROUPS, 4711));
    }

    @Test
    void aCapabilityMore() {
        refused(
                "CapPrm",
                creds -> creds.without(CAP_PRM).with(CAP_PRM, 0).with(CAP_PRM, CAPABILITY_62));
        refused(
                "CapInh",
                creds -> creds.without(CAP_INH).with(CAP_INH, 0).with(CAP_INH, CAPABILITY_62));
        refused("do not exist", creds -> creds.with(CAP_PRM, 0).with(CAP_PRM, 0));
        refused("do not exist", creds -> creds.without(CAP_PRM).with(CAP_PRM, 1L << 32));
        refused("secure bits", creds -> creds.with(SECURE_BITS, 1));
    }

    /** protobuf-c reads a repeated number packed as well. */
    @Test
    void packed() {
        refused("a form of their own", creds -> creds.with(CAP_PRM, "\0\1"));
        refused("a form of their own", creds -> creds.with(GROUPS, "\0"));
    }

    /** Of a process that ended and is not yet waited for criu knows no credentials. */
    @Test
    void zombie() {
        ProtoMessage dead = ProtoMessage.empty().with(1, 2);
        ProtoMessage alive = ProtoMessage.empty().with(1, 1);
        assertDoesNotThrow(() -> compareCore(ProtoMessage.empty().with(3, dead)));
        for (ProtoMessage each :
                List.of(
                        ProtoMessage.empty(),
                        ProtoMessage.empty().with(3, alive),
                        ProtoMessage.empty().with(3, dead.with(1, 1)),
                        ProtoMessage.empty().with(3, dead).with(3, alive))) {
            assertThrows(Problem.class, () -> compareCore(each));
        }
    }

    @Test
    void notOnce() {
        assertThrows(Problem.class, () -> compare());
        assertThrows(Problem.class, () -> compare(own, own));
        assertThrows(Problem.class, () -> ImageOwner.orForeign(images.resolve("none"), instance()));
    }
}
