package io.migrator.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Addresses as users and peers write them. */
class InterfaceAddressTest {
    @Test
    void isReadAndWritten() {
        InterfaceAddress four = InterfaceAddress.parse("10.0.0.9/24@eth0");
        assertEquals(new InterfaceAddress("10.0.0.9", 24, "eth0"), four);
        assertEquals("10.0.0.9/24@eth0", four.toString());
        assertEquals(
                InterfaceAddress.parse("fd00::9/64@ib0.7"),
                InterfaceAddress.parse("fd00:0:0:0::9/64@ib0.7"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "10.0.0.9",
                "10.0.0.9/24",
                "10.0.0.9@eth0",
                "10.0.0.9/0@eth0",
                "10.0.0.9/33@eth0",
                "fd00::9/129@eth0",
                "node1/24@eth0",
                "10.0.0/24@eth0 ",
                "10.0.0.9/24@eth0; reboot",
                "10.0.0.9/24@-eth0",
                "10.0.0.9/24@sixteen-letters-",
                "10.0.0.9/24@eth0\naddress flush",
            })
    void nothingElseIs(String text) {
        assertThrows(IllegalArgumentException.class, () -> InterfaceAddress.parse(text));
    }

    @Test
    void reachesItsNetworkOnly() {
        InterfaceAddress address = InterfaceAddress.parse("10.0.1.9/23@eth0");
        assertTrue(address.reaches("10.0.0.1"));
        assertFalse(address.reaches("10.0.2.1"));
        assertFalse(address.reaches("fd00::1"));
    }
}
