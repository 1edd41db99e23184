package io.migrator.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.migrator.network.NetworkLock.Connection;
import io.migrator.network.NetworkLock.Table;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A table may come from a peer and its texts become part of an nft command: nothing else may. */
class NetworkLockTest {

    @Test
    void criusOwnTableIsAccepted() {
        Connection four = new Connection("127.0.0.1", 45188, "10.77.0.2", 38036);
        Connection six = new Connection("fe80::1", 1, "2001:db8::2", 65535);
        Table table = new Table("CRIU-3039ac71-bd9a-4077-87", List.of(four, six));
        assertEquals(List.of(four, six), table.connections());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "CRIU-",
                "filter",
                "CRIU-3039ac71-bd9a-4077-8",
                "CRIU-3039ac71-bd9a-4077-871",
                "CRIU-3039AC71-BD9A-4077-87",
                "CRIU-3039ac71-bd9a-407 {}}",
                "CRIU-3039ac71-bd9a-4077-87\n",
                "CRIU-3039ac71-bd9a-4077-87; flush ruleset",
            })
    void anyOtherNameIsRefused(String name) {
        assertThrows(IllegalArgumentException.class, () -> new Table(name, List.of()));
    }

    @ParameterizedTest
    @CsvSource({
        "'', 1, 10.0.0.1, 1",
        "10.0.0.1, 0, 10.0.0.2, 1",
        "10.0.0.1, 1, 10.0.0.2, 0",
        "10.0.0.1, 65536, 10.0.0.2, 1",
        "10.0.0.1, 1, 10.0.0.2, -1",
        "10.0.0.1, 1, 'localhost', 1",
        "'10.0.0.1 }', 1, 10.0.0.2, 1",
        "10.0.0.1, 1, '10.0.0.2, 10.0.0.3', 1",
        "10.0.0.1, 1, '10.0.0.0/8', 1",
        "10.0.0.1, 1, 'fe80::1%eth0', 1",
        "'10.0.0.1;flush ruleset', 1, 10.0.0.2, 1",
    })
    void whatIsNoConnectionIsRefused(String from, int fromPort, String to, int toPort) {
        assertThrows(
                IllegalArgumentException.class, () -> new Connection(from, fromPort, to, toPort));
    }

    /** criu's service and its child that dumps both write one; the table has the child's. */
    @Test
    void theTableIsNamedByTheLastRunOfALog(@TempDir Path directory) throws Exception {
        Path log =
                Files.writeString(
                        directory.resolve("dump.log"),
                        """
                        (00.000000) CRIU run id = 63e64d12-528a-4c4d-8647-62adae5a5222
                        (00.000000) CRIU run id = 3039ac71-bd9a-4077-87df-5b1da7dcb84c
                        (00.000042) Version: 4.2.1 (gitid 0)
                        """);
        assertEquals("3039ac71-bd9a-4077-87df-5b1da7dcb84c", NetworkLock.runId(log));
        Path empty = Files.writeString(directory.resolve("empty.log"), "");
        assertThrows(Problem.class, () -> NetworkLock.runId(empty));
    }

    @Test
    void aTableCannotBeChangedAfterwards() {
        List<Connection> connections = new ArrayList<>();
        Table table = new Table("CRIU-3039ac71-bd9a-4077-87", connections);
        connections.add(new Connection("10.0.0.1", 1, "10.0.0.2", 2));
        assertEquals(List.of(), table.connections());
    }
}
