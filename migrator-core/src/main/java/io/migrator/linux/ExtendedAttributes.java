package io.migrator.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;

/**
 * Extended attributes of files (xattr(7)) that go along with a file: the user's own, access control
 * lists, and capabilities. Others are the node's matter, such as labels of SELinux.
 */
public final class ExtendedAttributes {
    private static final String USER = "user.";

    /** Their values name users by number, as the permissions do. */
    private static final String LIST = "system.posix_acl_access";

    private static final String LIST_OF_NEW = "system.posix_acl_default";
    private static final String CAPABILITIES = "security.capability";

    /** XATTR_LIST_MAX and XATTR_SIZE_MAX. */
    private static final long MOST = 65536;

    private ExtendedAttributes() {}

    /** Whether those of this name go along. */
    public static boolean isCarried(String name) {
        boolean named =
                name.startsWith(USER)
                        ? name.length() > USER.length() && name.length() <= 255
                        : name.equals(LIST) || name.equals(LIST_OF_NEW);
        return (named && name.chars().noneMatch(Character::isISOControl))
                || name.equals(CAPABILITIES);
    }

    /**
     * Those that go along, in base64; a symbolic link is followed. None where the file system has
     * none.
     */
    public static Map<String, String> of(Path file) throws IOException {
        Map<String, String> found = new TreeMap<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(file.toString());
            long most = Syscalls.call(Syscalls.LISTXATTR, path.address(), 0, 0); // mostly none
            if (most <= 0) {
                return found;
            }
            MemorySegment names = arena.allocate(MOST);
            long length = Syscalls.call(Syscalls.LISTXATTR, path.address(), names.address(), MOST);
            if (length < 0) {
                throw failure(file, length);
            }
            byte[] list = names.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
            MemorySegment value = arena.allocate(MOST);
            for (String name : new String(list, StandardCharsets.UTF_8).split("\0")) {
                boolean mayBeGiven = User.isRoot() || !name.equals(CAPABILITIES);
                if (isCarried(name) && mayBeGiven) {
                    long bytes =
                            Syscalls.call(
                                    Syscalls.GETXATTR,
                                    path.address(),
                                    arena.allocateFrom(name).address(),
                                    value.address(),
                                    MOST);
                    if (bytes < 0) {
                        throw failure(file, bytes);
                    }
                    byte[] bits = value.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE);
                    found.put(name, Base64.getEncoder().encodeToString(bits));
                }
            }
        }
        return found;
    }

    /** Sets the user's own, for which a file has to be writable; a symbolic link is followed. */
    public static void setOfUser(Path file, Map<String, String> all) throws IOException {
        set(file, all, true);
    }

    /** Sets the others, which go with the permissions. */
    public static void setOthers(Path file, Map<String, String> all) throws IOException {
        set(file, all, false);
    }

    private static void set(Path file, Map<String, String> all, boolean ofUser) throws IOException {
        Map<String, String> attributes = new TreeMap<>(all);
        attributes.keySet().removeIf(name -> name.startsWith(USER) != ofUser);
        if (attributes.isEmpty()) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(file.toString());
            for (Map.Entry<String, String> each : attributes.entrySet()) {
                byte[] bytes = Base64.getDecoder().decode(each.getValue());
                MemorySegment value = arena.allocate(Math.max(1, bytes.length));
                MemorySegment.copy(bytes, 0, value, ValueLayout.JAVA_BYTE, 0, bytes.length);
                long result =
                        Syscalls.call(
                                Syscalls.SETXATTR,
                                path.address(),
                                arena.allocateFrom(each.getKey()).address(),
                                value.address(),
                                bytes.length,
                                0);
                if (result < 0) {
                    throw failure(file, result);
                }
            }
        }
    }

    /** Whether its permissions are not all of its rights. */
    public static boolean hasAccessList(Path file) throws IOException {
        return of(file).keySet().stream().anyMatch(name -> !name.startsWith(USER));
    }

    private static IOException failure(Path file, long result) {
        return new IOException(file + ": extended attributes: " + Errno.text((int) -result));
    }
}
