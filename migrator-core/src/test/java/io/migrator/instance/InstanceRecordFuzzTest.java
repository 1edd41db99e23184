package io.migrator.instance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.DictionaryFile;
import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.Heap;
import io.migrator.fuzz.Whole;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.stream.Stream;

/**
 * Apptainer's record of an instance lies in a directory that a job may be able to write to. The
 * first byte of an input says whether the rest is a record, or the settings in one.
 */
class InstanceRecordFuzzTest {
    private static final long SMALL_BYTES = 1 << 20;
    private static final int TIMES = 400;

    private static final String SETTINGS =
            """
            {"engineConfig":{"jsonConfig":{"writableTmpfs":true,"container":true,"hostname":"h",
            "scratchdir":["/s"],"overlayImage":["/o"],"noProc":true,"skipBinds":["x"],"customHome":true,
            "homedir":"/a","homeDest":"/b","network":"none","networkArgs":["a=b"],"fakeroot":false,
            "bindpath":[{"source":"/a","destination":"/b","options":{"ro":{"value":""},"x":{"value":"y"}}}],
            "apptainerEnv":{"A":"b"},"fuseMount":[{"a":1}],"cgroupsJSON":"{}","devices":["d"]}}}
            """;

    static Stream<byte[]> seeds() {
        return Stream.of(
                ("\1" + SETTINGS).getBytes(StandardCharsets.UTF_8),
                record(SETTINGS, "\0"),
                ("\0{}").getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] record(String settings, String before) {
        String config =
                Base64.getEncoder().encodeToString(settings.getBytes(StandardCharsets.UTF_8));
        return "%s{\"pid\":7,\"user\":\"me\",\"image\":\"/i.sif\",\"config\":\"%s\"}"
                .formatted(before, config)
                .getBytes(StandardCharsets.UTF_8);
    }

    @MethodSource("seeds")
    @DictionaryFile(resourcePath = "record.dict")
    @Timeout(60)
    @FuzzTest
    void recordsAreReadOrRefused(byte[] input) throws ReflectiveOperationException {
        if (input.length == 0) {
            return;
        }
        byte[] rest = Arrays.copyOfRange(input, 1, input.length);
        boolean whole = (input[0] & 1) == 0;
        byte[] record = whole ? rest : record(new String(rest, StandardCharsets.UTF_8), "");
        StartOptions[] read = new StartOptions[1];
        Heap.within(
                SMALL_BYTES + (long) TIMES * record.length,
                () -> {
                    try {
                        Instances.Recorded recorded = Instances.Recorded.of(record);
                        read[0] = StartOptions.of(recorded.image(), true, recorded.settings());
                    } catch (IOException | IllegalArgumentException e) {
                        // refused
                    }
                });
        if (read[0] != null) {
            Whole.orLacking(read[0]);
            StartOptions own = read[0].withOwnNetwork();
            assertTrue(own.hasOwnNetwork());
            assertEquals(own, own.withOwnNetwork());
            read[0].environmentWords();
        }
    }
}
