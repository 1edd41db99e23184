package io.migrator.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.linux.Proc;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.util.List;

/** On a connection of the test's own process; what changes the mode needs CAP_NET_ADMIN. */
class RepairModeTest {
    private static final List<Proc> SELF = List.of(Proc.self());

    private ServerSocket listener;
    private Socket ours;
    private Socket theirs;

    @BeforeEach
    void connect() throws IOException {
        listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ours = new Socket(listener.getInetAddress(), listener.getLocalPort());
        theirs = listener.accept();
    }

    @AfterEach
    void close() throws IOException {
        ours.close();
        theirs.close();
        listener.close();
    }

    private void assertTalk() throws IOException {
        ours.getOutputStream().write(7);
        assertEquals(7, theirs.getInputStream().read());
    }

    private static void needsRoot() {
        Assumptions.assumeTrue(
                "root".equals(System.getProperty("user.name")), "skipped: needs CAP_NET_ADMIN");
    }

    @Test
    void offLeavesOrdinaryConnectionsAlone() throws IOException {
        assertEquals(0, RepairMode.off(SELF));
        assertTalk();
    }

    @Test
    void whatWasRepairedTalksAgain() throws IOException {
        needsRoot();
        assertTalk();
        assertTrue(RepairMode.on(SELF) >= 2);
        assertThrows(IOException.class, this::assertTalk);
        assertEquals(0, RepairMode.on(SELF));

        assertTrue(RepairMode.off(SELF) >= 2);
        assertTalk();
        assertTrue(theirs.getOption(StandardSocketOptions.SO_REUSEADDR));
        assertEquals(0, RepairMode.off(SELF));
    }

    @Test
    void aProcessThatIsGoneHasNoConnections() throws IOException {
        assertEquals(0, RepairMode.off(List.of(new Proc(1 << 30))));
    }
}
