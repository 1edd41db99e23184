package io.migrator.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.KernelText;

import org.junit.jupiter.api.Timeout;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Whatever the files are called that a job has mapped: what the checks look for is what there is.
 */
class MapsFuzzTest {
    @Timeout(60)
    @FuzzTest
    void mappingsAreTakenForWhatTheyAre(FuzzedDataProvider data) {
        StringBuilder maps = new StringBuilder();
        int files = data.consumeInt(0, 5);
        for (int each = 0; each < files; each++) {
            byte[] name = data.consumeBytes(60);
            String path = "/f" + new String(name, StandardCharsets.ISO_8859_1).replace("\0", "");
            boolean deleted = path.endsWith(" (deleted)");
            maps.append(
                    KernelText.mapping(
                            4096, 8192, "r--p", data.consumeLong(), deleted ? "/f" : path));
        }
        maps.append(KernelText.mapping(4096, 8192, "rw-s", 7, "/memfd:a (deleted)"));
        maps.append(KernelText.mapping(4096, 8192, "rw-s", 8, "/SYSV00000000 (deleted)"));
        maps.append(KernelText.mapping(4096, 8192, "rw-s", 9, "/x y (deleted)"));
        assertEquals(List.of("7"), found(UserChecks.MEMORY_FILE, maps));
        assertEquals(List.of("8"), found(SystemVChecks.Traces.MAPPING, maps));
        assertEquals(List.of("/x y"), found(UserChecks.DELETED_FILE, maps));
    }

    private static List<String> found(Pattern wanted, StringBuilder maps) {
        return wanted.matcher(maps).results().map(each -> each.group(1)).toList();
    }
}
