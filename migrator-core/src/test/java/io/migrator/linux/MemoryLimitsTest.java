package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class MemoryLimitsTest {
    @TempDir private Path mount;

    private void second(String path, String max, long used, long cache) throws IOException {
        Path directory = Files.createDirectories(mount.resolve(path));
        Files.writeString(directory.resolve("memory.max"), max + "\n");
        Files.writeString(directory.resolve("memory.current"), used + "\n");
        Files.writeString(
                directory.resolve("memory.stat"), "anon 5\ninactive_file " + cache + "\nslab 7\n");
    }

    private long room(String path, String root) throws IOException {
        return MemoryLimits.room(
                List.of("1:name=systemd:/x", "0::" + path),
                List.of(
                        "24 1 0:22 / /proc rw - proc proc rw",
                        "31 24 0:27 %s %s rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate"
                                .formatted(root, mount)));
    }

    @Test
    void theTightestOfAllAboveCounts() throws IOException {
        second("user/slice/job", "1000", 300, 100); // 800
        second("user/slice", "900", 400, 0); // 500
        second("user", "max", 4000, 0);
        Files.createDirectories(mount.resolve("user/slice/job/below"));
        assertEquals(500, room("/user/slice/job", "/"));
        assertEquals(500, room("/user/slice/job/below", "/"));
        assertEquals(Long.MAX_VALUE, room("/user", "/"));
        assertEquals(Long.MAX_VALUE, room("/", "/"));
    }

    @Test
    void aCgroupThatIsFullLeavesNothing() throws IOException {
        second("full", "1000", 1200, 0);
        assertEquals(0, room("/full", "/"));
    }

    @Test
    void theMountMayBeOfAPart() throws IOException {
        second("job", "1000", 300, 0);
        assertEquals(700, room("/user/slice/job", "/user/slice"));
        assertEquals(Long.MAX_VALUE, room("/elsewhere/job", "/user/slice"));
        assertEquals(Long.MAX_VALUE, room("/../../job", "/"), "out of our view");
    }

    @Test
    void theFirstVersionToo() throws IOException {
        Path job = Files.createDirectories(mount.resolve("job"));
        Files.writeString(job.resolve("memory.limit_in_bytes"), "1000\n");
        Files.writeString(job.resolve("memory.usage_in_bytes"), "300\n");
        Files.writeString(job.resolve("memory.stat"), "inactive_file 1\ntotal_inactive_file 50\n");
        List<String> mounts =
                List.of("40 30 0:33 / %s rw,relatime - cgroup cgroup rw,memory".formatted(mount));
        assertEquals(750, MemoryLimits.room(List.of("4:memory:/job"), mounts));
        assertEquals(750, MemoryLimits.room(List.of("4:cpu,memory:/job/gone"), mounts));
        assertEquals(Long.MAX_VALUE, MemoryLimits.room(List.of("3:cpuset:/job"), mounts));
    }

    @Test
    void thisProcess() throws IOException {
        assertTrue(MemoryLimits.room() >= 0);
    }
}
