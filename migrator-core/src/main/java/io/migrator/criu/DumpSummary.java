package io.migrator.criu;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a person wants to know of a dump, read from its images, which may come from anybody.
 *
 * <p>Field numbers are those of criu's images/pstree.proto, core.proto, fdinfo.proto,
 * regfile.proto, sk-inet.proto and sk-unix.proto.
 *
 * @param processes in the order of the dump: parents before children
 * @param files open regular files and directories, each once
 * @param sockets internet sockets and named unix sockets
 * @param others how many there are of all other open things, by their kind
 */
public record DumpSummary(
        List<Task> processes,
        List<OpenFile> files,
        List<String> sockets,
        Map<String, Integer> others) {
    /**
     * A process.
     *
     * @param pid inside the instance
     * @param parent its parent's, 0 if that is appinit
     * @param mappedBytes of its address space
     */
    public record Task(int pid, int parent, String name, int threads, long mappedBytes) {}

    /**
     * An open file.
     *
     * @param bytes its length when the job stood still; -1 if that is not told
     */
    public record OpenFile(String path, long bytes) {}

    private static final int PID = 1;
    private static final int PARENT = 2;
    private static final int THREADS = 5;
    private static final int TASK_CORE = 3;
    private static final int NAME_OF_TASK = 6;
    private static final int TYPE = 1;
    private static final int REGULAR = 1;
    private static final int REGULAR_FILE = 3;
    private static final int INET = 4;
    private static final int INET_SOCKET = 4;
    private static final int UNIX = 5;
    private static final int UNIX_SOCKET = 16;
    private static final int NAME_OF_FILE = 6;
    private static final int SIZE_OF_FILE = 8;
    private static final int KIND_OF_SOCKET = 4;
    private static final int SOURCE_PORT = 7;
    private static final int PEER_PORT = 8;
    private static final int SOURCE = 11;
    private static final int PEER = 12;
    private static final int NAME_OF_SOCKET = 11;
    private static final int STREAM = 1;

    /** enum fd_types, from its third on. */
    private static final List<String> KINDS =
            List.of(
                    "pipe",
                    "fifo",
                    "inet socket",
                    "unix socket",
                    "eventfd",
                    "epoll",
                    "inotify",
                    "signalfd",
                    "packet socket",
                    "terminal",
                    "fanotify",
                    "netlink socket",
                    "namespace",
                    "tun",
                    "file outside",
                    "timerfd",
                    "memfd",
                    "bpf map",
                    "pidfd");

    /**
     * Reads the images in a directory.
     *
     * @throws IOException if they are not as they must be
     */
    public static DumpSummary of(Path images) throws IOException {
        Map<Integer, MemoryMap> maps = MemoryMap.all(images);
        List<Task> tasks = new ArrayList<>();
        for (ProtoMessage entry : ImageFile.read(images.resolve("pstree.img")).entries()) {
            int pid = (int) entry.number(PID).orElse(0);
            long mapped =
                    maps.getOrDefault(pid, new MemoryMap(List.of())).areas().stream()
                            .mapToLong(area -> area.end() - area.start())
                            .sum();
            int parent = (int) entry.number(PARENT).orElse(0);
            int threads = entry.numbers(THREADS).size();
            tasks.add(new Task(pid, parent, nameOf(images, pid), threads, mapped));
        }
        Map<String, Long> files = new TreeMap<>();
        List<String> sockets = new ArrayList<>();
        Map<String, Integer> others = new TreeMap<>();
        for (ProtoMessage entry : ImageFile.read(images.resolve("files.img")).entries()) {
            int type = (int) entry.number(TYPE).orElse(0);
            if (type == REGULAR) {
                for (ProtoMessage file : entry.messages(REGULAR_FILE)) {
                    files.put(
                            file.text(NAME_OF_FILE).orElse("?"),
                            file.number(SIZE_OF_FILE).orElse(-1));
                }
            } else if (type == INET) {
                for (ProtoMessage socket : entry.messages(INET_SOCKET)) {
                    sockets.add(inet(socket));
                }
            } else {
                String name = type == UNIX ? unixName(entry) : "";
                if (name.isEmpty()) {
                    others.merge(kind(type), 1, Integer::sum);
                } else {
                    sockets.add("unix " + name);
                }
            }
        }
        List<OpenFile> open = new ArrayList<>();
        files.forEach((path, bytes) -> open.add(new OpenFile(plain(path), bytes)));
        return new DumpSummary(tasks, open, sockets, others);
    }

    private static String nameOf(Path images, int pid) throws IOException {
        Path core = images.resolve("core-" + pid + ".img");
        if (!Files.exists(core)) {
            return "?";
        }
        for (ProtoMessage entry : ImageFile.read(core).entries()) {
            for (ProtoMessage task : entry.messages(TASK_CORE)) {
                return plain(task.text(NAME_OF_TASK).orElse("?"));
            }
        }
        return "?";
    }

    private static String kind(int type) {
        int at = type - 2;
        return at >= 0 && at < KINDS.size() ? KINDS.get(at) : "kind " + type;
    }

    /** The job chose its names, and they are shown. */
    private static String plain(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }

    private static String unixName(ProtoMessage entry) throws IOException {
        for (ProtoMessage socket : entry.messages(UNIX_SOCKET)) {
            String name =
                    new String(
                            socket.bytes(NAME_OF_SOCKET).orElse(new byte[0]),
                            StandardCharsets.UTF_8);
            String shown = name.startsWith("\0") ? "@" + name.substring(1) : name;
            return plain(shown.replaceAll("\0+$", ""));
        }
        return "";
    }

    private static String inet(ProtoMessage socket) throws IOException {
        String protocol = socket.number(KIND_OF_SOCKET).orElse(0) == STREAM ? "tcp" : "udp";
        String source = address(socket, SOURCE, SOURCE_PORT);
        boolean connected = socket.number(PEER_PORT).orElse(0) != 0;
        return "%s %s%s"
                .formatted(
                        protocol,
                        source,
                        connected ? " to " + address(socket, PEER, PEER_PORT) : "");
    }

    private static String address(ProtoMessage socket, int field, int portField)
            throws IOException {
        List<Long> words = socket.numbers(field);
        if (words.size() != 1 && words.size() != 4) {
            return "?";
        }
        ByteBuffer bytes =
                ByteBuffer.allocate(words.size() * Integer.BYTES).order(ByteOrder.nativeOrder());
        words.forEach(word -> bytes.putInt(word.intValue()));
        String host = InetAddress.getByAddress(bytes.array()).getHostAddress();
        long port = socket.number(portField).orElse(0);
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
