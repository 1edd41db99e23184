package io.migrator.files;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.KernelText;

import org.junit.jupiter.api.Timeout;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;

/** Whatever mount points and mapped files are called: each is found by its own name. */
class MountsFuzzTest {
    private static final int MOST = 10;

    @Timeout(60)
    @FuzzTest
    void everyMountIsFound(FuzzedDataProvider data) {
        Map<String, String> types = new TreeMap<>(Map.of("/", "overlay"));
        StringBuilder text = new StringBuilder("1 0 0:1 / / rw - overlay overlay rw\n");
        StringBuilder maps = new StringBuilder();
        List<String> mapped = new ArrayList<>();
        for (int each = 0; each < MOST && data.remainingBytes() > 0; each++) {
            String path = path(data);
            String type = data.pickValue(new String[] {"tmpfs", "ext4", "fuse.squashfuse"});
            types.put(path, type);
            text.append(
                    "2 1 0:2 %s %s rw,nosuid shared:1 - %s %s rw\n"
                            .formatted("/", KernelText.ofMount(path), type, "dev"));
            mapped.add(KernelText.ofMapping(path));
            maps.append(KernelText.mapping(4096, 8192, "rw-s", 5, path));
            maps.append(KernelText.mapping(4096, 8192, "rw-p", 0, ""));
        }
        Mounts mounts = Mounts.in(text.toString(), List.of("--bind", "/a:/b:ro"));
        types.forEach((path, type) -> assertEquals(type.equals("tmpfs"), mounts.isLayer(path)));
        Matcher lines = UsedFiles.MAPPED.matcher(maps);
        List<String> found = lines.results().map(each -> each.group(4)).toList();
        assertEquals(mapped, found);
    }

    private static String path(FuzzedDataProvider data) {
        byte[] name = data.consumeBytes(data.consumeInt(1, 20));
        return "/m" + new String(name, StandardCharsets.ISO_8859_1).replace("\0", "");
    }
}
