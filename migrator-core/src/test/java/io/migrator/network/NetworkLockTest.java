package io.migrator.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.network.NetworkLock.Pair;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** What comes from a peer becomes part of an nft command: nothing else than it must be may. */
class NetworkLockTest {
    private static final NetworkLock LOCK = new NetworkLock(NetSpace.here(), "m1");

    @ParameterizedTest
    @ValueSource(strings = {"", "M1", "m1; flush ruleset", "m 1", "m1\n", "../m"})
    void onlyAMigrationHasALock(String id) {
        assertThrows(IllegalArgumentException.class, () -> new NetworkLock(NetSpace.here(), id));
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
    })
    void anythingElseThanAPairIsRefused(String from, int fromPort, String to, int toPort) {
        assertThrows(IllegalArgumentException.class, () -> new Pair(from, fromPort, to, toPort));
    }

    @Test
    void pairsGoIntoTheSetOfTheirFamily() {
        String text =
                LOCK.cutting(
                        List.of(
                                new Pair("127.0.0.1", 5, "127.0.0.1", 6),
                                new Pair("::1", 7, "::1", 8)));
        assertEquals(
                """
                add element inet migrator-m1 pairs4 { 127.0.0.1 . 5 . 127.0.0.1 . 6 }
                add element inet migrator-m1 pairs6 { 0:0:0:0:0:0:0:1 . 7 . 0:0:0:0:0:0:0:1 . 8 }
                """,
                text);
    }

    @Test
    void addressesAreSilencedInArpToo() {
        String text = LOCK.silencing(List.of(InterfaceAddress.parse("10.0.0.9/24@eth0")));
        assertTrue(text.contains("inet migrator-m1 own4 { 10.0.0.9 }"), text);
        assertTrue(text.contains("arp migrator-m1 own4 { 10.0.0.9 }"), text);
    }

    @Test
    void listenersAreClosedByPortOrDoor() {
        String text =
                LOCK.closing(
                        List.of(
                                listener("0.0.0.0", 80),
                                listener("0:0:0:0:0:0:0:0", 80),
                                listener("10.0.0.9", 81)));
        assertTrue(text.contains("ports { 80 }"), text);
        assertTrue(text.contains("doors4 { 10.0.0.9 . 81 }"), text);
        assertFalse(text.contains("doors6"), text);
    }

    private static InetSocket listener(String address, int port) {
        return new InetSocket("tcp", address, port, "0.0.0.0", 0, 10, 0, "socket:[1]");
    }
}
