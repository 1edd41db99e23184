package io.migrator.files;

import io.migrator.instance.Instance;
import io.migrator.linux.FileState;
import io.migrator.linux.HeldDirectory;
import io.migrator.linux.Proc;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What an instance is put together from: its image, directories of the node, layers of its own. */
final class Mounts {
    /** Whose files are the kernel's (proc(5), filesystems(5)). */
    private static final Set<String> KERNEL =
            Set.of(
                    "proc",
                    "sysfs",
                    "cgroup",
                    "cgroup2",
                    "devpts",
                    "mqueue",
                    "securityfs",
                    "debugfs",
                    "bpf");

    private static final String MEMORY = "tmpfs";
    private static final Set<String> LAYERS = Set.of("--writable-tmpfs");

    /** A device that is not known. */
    static final long ANY = -1;

    private static final String BIND = "--bind";
    private static final String HOME = "--home";

    /** Fields 5 and, behind the dash, the first of mountinfo (proc(5)). */
    private static final int MOUNT_POINT = 4;

    private final TreeMap<String, String> types = new TreeMap<>();
    private final Map<String, String> binds = new TreeMap<>();
    private final boolean layered;

    private Mounts(boolean layered) {
        this.layered = layered;
    }

    /** Those that a process of an instance sees. */
    static Mounts of(Instance instance, Proc process) throws IOException {
        // a name that is not in this code is no file's that can be carried
        byte[] bytes = Files.readAllBytes(process.file("mountinfo"));
        return in(new String(bytes, StandardCharsets.UTF_8), instance.start().arguments());
    }

    /**
     * The same of a text.
     *
     * @param words with which the instance was started
     */
    static Mounts in(String mountinfo, List<String> words) {
        boolean layered =
                words.stream().anyMatch(LAYERS::contains) || Overlay.of(words).isPresent();
        Mounts mounts = new Mounts(layered);
        Stream.of(mountinfo.split("\n")).forEach(mounts::add); // others may be in a name
        for (int i = 0; i + 1 < words.size(); i++) {
            if (words.get(i).equals(BIND) || words.get(i).equals(HOME)) {
                String[] parts = words.get(i + 1).split(":");
                String inside = Path.of(parts[parts.length > 1 ? 1 : 0]).toString();
                mounts.binds.put(inside, parts[0]); // a slash at its end is gone
            }
        }
        return mounts;
    }

    /** Such as {@code 36 35 98:0 /mnt1 /mnt/2 rw,noatime master:1 - ext3 /dev/root rw}. */
    private void add(String line) {
        String[] words = line.split(" ");
        int dash = List.of(words).indexOf("-");
        if (dash > MOUNT_POINT && dash + 1 < words.length) {
            types.put(plain(words[MOUNT_POINT]), words[dash + 1]);
        }
    }

    /** Blanks and the like are in octal (proc(5)). */
    private static String plain(String escaped) {
        return escaped.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }

    private String pointOf(String path) {
        String at = path;
        while (!types.containsKey(at) && at.length() > 1) {
            at = at.substring(0, Math.max(1, at.lastIndexOf('/')));
        }
        return at;
    }

    /**
     * Whether a file is the kernel's or the image's, and so on the target as it is here; so are
     * what Apptainer itself makes in memory, and mounts.
     */
    boolean isElsewhere(String path) {
        String point = pointOf(path);
        if (point.equals(path) && MEMORY.equals(types.get(point))) {
            return true;
        }
        return KERNEL.contains(types.getOrDefault(point, "")) || (point.equals("/") && !layered);
    }

    /** Where something is mounted. */
    List<Path> points() {
        return types.keySet().stream().map(Path::of).toList();
    }

    /** Whether something is mounted just there. */
    boolean isPoint(Path path) {
        return types.containsKey(path.toString());
    }

    /**
     * Whether what only the instance has may lie there: in its layer, or in memory. Elsewhere it is
     * the node's, by a way that is not known here.
     */
    boolean isLayer(String path) {
        String point = pointOf(path);
        return point.equals("/") ? layered : MEMORY.equals(types.get(point));
    }

    /**
     * The path of a file on the node, in which there is no link: nobody can lead it elsewhere.
     *
     * @param inode of the file, as it is seen by who uses it
     * @param device that it is on; {@link #ANY} if that is not told
     * @return null if the node has no such file
     */
    @Nullable Path onNode(String path, long inode, long device) throws IOException {
        if (pointOf(path).equals("/")) {
            return null;
        }
        List<Path> candidates = new ArrayList<>();
        addReal(Path.of(path), candidates);
        for (Map.Entry<String, String> bind : binds.entrySet()) {
            if (path.equals(bind.getKey()) || path.startsWith(bind.getKey() + "/")) {
                String rest = path.substring(bind.getKey().length());
                addReal(Path.of(bind.getValue() + rest), candidates);
            }
        }
        for (Path each : candidates) {
            Optional<FileState> there = named(each);
            if (there.isPresent()
                    && there.get().inode() == inode
                    && (device == ANY || there.get().device() == device)) {
                return each;
            }
        }
        return null;
    }

    private static void addReal(Path path, List<Path> candidates) {
        try {
            candidates.add(path.toRealPath());
        } catch (IOException e) {
            // there is none
        }
    }

    /** What has this path, without following a link. */
    static Optional<FileState> named(Path path) {
        return named(Path.of("/"), path);
    }

    /** The same below another root. */
    static Optional<FileState> named(Path root, Path path) {
        Path parent = path.getParent();
        if (parent == null) {
            return Optional.empty();
        }
        try (HeldDirectory directory = HeldDirectory.open(root, parent)) {
            return FileState.ofName(directory.file(path.getFileName().toString()));
        } catch (IOException e) {
            return Optional.empty(); // there is a link, or no such directory
        }
    }

    /** What was bound by the user: path inside, path on the node. */
    Map<String, String> binds() {
        return binds;
    }
}
