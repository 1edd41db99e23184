package io.migrator.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Lines of /proc/net as kernel 6.18 on x86-64 prints them. */
class InetSocketTest {
    @Test
    void connection() {
        InetSocket socket =
                InetSocket.parse(
                        "tcp",
                        "   1: 674D4D0A:1388 FE4D4D0A:C9F2 01 00000000:0000001A 02:000A7214"
                                + " 00000000  1000        0 4711 2 0000000000000000 20 4 30 10 -1");
        assertEquals(
                new InetSocket(
                        "tcp", "10.77.77.103", 5000, "10.77.77.254", 51698, 1, 26, "socket:[4711]"),
                socket);
        assertTrue(socket.connects());
        assertFalse(socket.takesPort());
    }

    @Test
    void mappedAddressIsTheOneOfIp4() {
        InetSocket socket =
                InetSocket.parse(
                        "tcp6",
                        "   1: 0000000000000000FFFF00000100007F:1388"
                                + " 0000000000000000FFFF00000100007F:C9F2 01 00000000:00000000"
                                + " 02:000A7214 00000000  0 0 4711 2");
        assertEquals("127.0.0.1", socket.local());
        assertTrue(socket.loops());
    }

    @Test
    void listenersOfOnePortClashUnlessTheirAddressesDiffer() {
        InetSocket any = listener("0.0.0.0", 80);
        assertTrue(any.clashesWith(listener("10.0.0.1", 80)));
        assertTrue(listener("10.0.0.1", 80).clashesWith(any));
        assertFalse(listener("10.0.0.2", 80).clashesWith(listener("10.0.0.1", 80)));
        assertFalse(any.clashesWith(listener("0.0.0.0", 81)));
    }

    private static InetSocket listener(String address, int port) {
        return new InetSocket("tcp", address, port, "0.0.0.0", 0, 10, 0, "socket:[1]");
    }
}
