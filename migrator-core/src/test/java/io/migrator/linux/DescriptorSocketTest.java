package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** Without descriptors, which UserFaultTest sends. */
@Timeout(30)
class DescriptorSocketTest {
    private static final int MILLIS = 5000;

    @TempDir private Path directory;
    private Path path;

    @BeforeEach
    void begin() {
        path = directory.resolve("socket");
    }

    private SocketChannel connected() throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(path));
        return channel;
    }

    private static ByteBuffer bytes(int... numbers) {
        ByteBuffer bytes =
                ByteBuffer.allocate(numbers.length * Integer.BYTES).order(ByteOrder.nativeOrder());
        for (int number : numbers) {
            bytes.putInt(number);
        }
        return bytes.flip();
    }

    /** Runs it, closes the socket meanwhile, and gives back what it then says. */
    private static <T> T closedUnder(DescriptorSocket socket, Callable<T> what) throws Exception {
        FutureTask<T> task = new FutureTask<>(what);
        Thread.ofPlatform().daemon().start(task);
        Thread.sleep(200);
        assertFalse(task.isDone());
        socket.close();
        return task.get(MILLIS, TimeUnit.MILLISECONDS);
    }

    @Test
    void numbersCome() throws Exception {
        try (DescriptorSocket socket = DescriptorSocket.listen(path)) {
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
            assertThrows(IOException.class, () -> DescriptorSocket.listen(path));
            assertFalse(socket.accept(0));
            try (SocketChannel peer = connected()) {
                assertTrue(socket.accept(MILLIS));
                assertThrows(IOException.class, this::connected);
                peer.write(bytes(1, -2));
            }
            assertEquals(Optional.of(1), socket.number());
            assertEquals(Optional.of(-2), socket.number());
            assertEquals(Optional.empty(), socket.number());
            assertThrows(IOException.class, socket::descriptor);
        }
        assertFalse(Files.exists(path));
    }

    @Test
    void halfANumberIsNone() throws Exception {
        try (DescriptorSocket socket = DescriptorSocket.listen(path)) {
            try (SocketChannel peer = connected()) {
                assertTrue(socket.accept(MILLIS));
                peer.write(bytes(1).limit(2));
            }
            assertThrows(IOException.class, socket::number);
        }
    }

    @Test
    void aByteWithoutADescriptorIsRefused() throws Exception {
        try (DescriptorSocket socket = DescriptorSocket.listen(path);
                SocketChannel peer = connected()) {
            assertTrue(socket.accept(MILLIS));
            peer.write(bytes(1));
            assertThrows(IOException.class, socket::descriptor);
        }
    }

    @Test
    void anEndBeforeTheRestoreIsDoneIsTold() throws Exception {
        try (DescriptorSocket socket = DescriptorSocket.listen(path)) {
            try (SocketChannel peer = connected()) {
                assertTrue(socket.accept(MILLIS));
                peer.write(bytes(-5));
            }
            LazyTasks tasks = new LazyTasks(socket);
            assertEquals(Optional.of(new LazyTasks.Task(5, null)), tasks.next());
            assertEquals(Optional.empty(), tasks.next());
            assertFalse(tasks.finished());
        }
    }

    @Test
    void aCloseEndsTheWaitForAPeer() throws Exception {
        DescriptorSocket socket = DescriptorSocket.listen(path);
        assertFalse(closedUnder(socket, () -> socket.accept(-1)));
        assertFalse(Files.exists(path));
    }

    @Test
    void aCloseEndsTheWaitForANumber() throws Exception {
        DescriptorSocket socket = DescriptorSocket.listen(path);
        try (SocketChannel peer = connected()) {
            assertTrue(socket.accept(MILLIS));
            assertEquals(Optional.empty(), closedUnder(socket, socket::number));
            assertTrue(peer.isOpen());
        }
    }

    @Test
    void aLongPathIsRefused() {
        Path longer = directory.resolve("x".repeat(108));
        assertThrows(IOException.class, () -> DescriptorSocket.listen(longer));
    }
}
