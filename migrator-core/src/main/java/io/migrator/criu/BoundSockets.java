package io.migrator.criu;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Lets sockets of a dump that wait at one address wait at another when they are restored: criu
 * binds them to what the image says, which may be an address of the node they come from.
 *
 * <p>Field numbers are those of criu's images/fdinfo.proto and sk-inet.proto.
 */
public final class BoundSockets {
    private static final int FILE_SOCKET = 4;
    private static final int SOURCE = 11;
    private static final int PEER_PORT = 8;
    private static final int MAPPED_ZEROS = 10;

    private BoundSockets() {}

    /**
     * Changes the images of a dump. Sockets with a peer stay as they are.
     *
     * @param moves from address to address of one family, as {@link InetAddress} writes them
     * @return how many sockets were changed
     */
    public static int move(Path images, Map<String, String> moves) throws IOException {
        if (moves.isEmpty()) {
            return 0;
        }
        return ImageFile.edit(
                images.resolve("files.img"),
                entry -> {
                    List<ProtoMessage> sockets = entry.messages(FILE_SOCKET);
                    String to =
                            sockets.size() == 1 ? moves.get(waitingAt(sockets.getFirst())) : null;
                    return to == null
                            ? null
                            : entry.replacing(FILE_SOCKET, at(sockets.getFirst(), to));
                });
    }

    /** The address of a socket without a peer; empty if it has a peer or none. */
    private static String waitingAt(ProtoMessage socket) throws IOException {
        List<Long> words = socket.numbers(SOURCE);
        boolean has = words.size() == 1 || words.size() == 4;
        if (!has || socket.number(PEER_PORT).orElse(0) != 0) {
            return "";
        }
        ByteBuffer bytes = words(words.size());
        words.forEach(word -> bytes.putInt(word.intValue()));
        return InetAddress.getByAddress(bytes.array()).getHostAddress();
    }

    private static ProtoMessage at(ProtoMessage socket, String to) {
        byte[] bytes = InetAddress.ofLiteral(to).getAddress();
        int had = socket.numbers(SOURCE).size();
        ByteBuffer words = words(had);
        if (bytes.length < words.capacity()) { // IPv4 of an IPv6 socket: RFC 4291, 2.5.5.2
            words.position(MAPPED_ZEROS).put((byte) 0xff).put((byte) 0xff);
        }
        words.put(bytes).flip();
        ProtoMessage changed = socket.without(SOURCE);
        while (words.hasRemaining()) {
            changed = changed.with(SOURCE, Integer.toUnsignedLong(words.getInt()));
        }
        return changed;
    }

    /** Addresses are in the images as this machine reads their bytes. */
    private static ByteBuffer words(int count) {
        return ByteBuffer.allocate(count * Integer.BYTES).order(ByteOrder.nativeOrder());
    }
}
