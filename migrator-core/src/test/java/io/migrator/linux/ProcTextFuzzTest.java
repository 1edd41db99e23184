package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

import io.migrator.fuzz.KernelText;

import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * What /proc tells of a process with any name is told right; what a file of that name in a
 * process's own tree holds, and a list from a peer, is read or refused.
 */
class ProcTextFuzzTest {
    /** Of a name that prctl(2) sets; the kernel's own threads have longer ones. */
    private static final int MOST_OF_NAME = 15;

    @Timeout(60)
    @FuzzTest
    void textOfAnyProcessIsReadOrRefused(FuzzedDataProvider data) throws IOException {
        switch (data.consumeInt(0, 5)) {
            case 0 -> status(data);
            case 1 -> stat(data);
            case 2 -> limits(data);
            case 3 -> vdso(data);
            case 4 -> anyText(data.consumeRemainingAsAsciiString());
            default -> anyText(text(data.consumeRemainingAsBytes()));
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static String name(FuzzedDataProvider data) {
        return text(data.consumeBytes(MOST_OF_NAME)).replace("\0", "");
    }

    private static void status(FuzzedDataProvider data) throws IOException {
        char state = data.pickValue(new Character[] {'R', 'S', 'Z'});
        long parent = data.consumeLong(0, Integer.MAX_VALUE);
        long uid = data.consumeLong(0, 0xffff_ffffL);
        Proc.Status status =
                new Proc.Status(KernelText.status(name(data), state, parent, uid, parent + "\t1"));
        assertEquals(state, status.line("State").orElseThrow().charAt(0));
        assertEquals(List.of(parent), status.numbers("PPid"));
        assertEquals(List.of(uid, uid, uid, uid), status.numbers("Uid"));
        assertEquals(List.of(4L, 24L), status.numbers("Groups"));
        assertEquals(List.of(parent, 1L), status.numbers("NSpid"));
        assertEquals("1024 kB", status.line("VmRSS").orElseThrow());
    }

    private static void stat(FuzzedDataProvider data) throws IOException {
        long started = data.consumeLong(0, Long.MAX_VALUE);
        String before = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 ";
        String text = "7 (" + name(data) + ")" + before + started + " 23 24\n";
        assertEquals(started, Proc.startTimeIn(text));
    }

    private static void limits(FuzzedDataProvider data) {
        long value = data.consumeLong();
        String text =
                "Limit                     Soft Limit           Hard Limit           Units     \n"
                        + "Max core file size        %-20s %-20s bytes     \n"
                                .formatted(
                                        Long.toUnsignedString(value),
                                        value == -1 ? "unlimited" : Long.toUnsignedString(value))
                        + "Max open files            1024                 4096                "
                        + " files     \n";
        Map<String, Long> read = Limits.hardIn(text);
        assertEquals(value < 0 ? Limits.UNLIMITED : value, read.get("core file size"));
        assertEquals(4096, read.get("open files"));
    }

    /** A tracer has system calls made there. */
    private static void vdso(FuzzedDataProvider data) {
        String other = KernelText.mapping(1, 2, "r-xp", 5, "/" + text(data.consumeBytes(40)));
        String real = KernelText.mapping(3, 4, "r-xp", 0, "").strip() + "  [vdso]\n";
        String text = data.consumeBoolean() ? other + real : real + other;
        List<String> found =
                Tracee.VDSO.matcher(text).results().map(each -> each.group(1)).toList();
        assertEquals(List.of("00000003"), found);
    }

    private static void anyText(String text) {
        Proc.Status status = new Proc.Status(text);
        orRefused(() -> status.numbers("Uid"));
        orRefused(() -> Proc.startTimeIn(text));
        orRefused(() -> CpuFeatures.in(text));
        orRefused(() -> {
            assertTrue(Scheduling.processors(text).length() <= 1 << 16);
        });
        Limits.hardIn(text);
    }

    private interface Reading {
        void run() throws IOException;
    }

    private static void orRefused(Reading reading) {
        try {
            reading.run();
        } catch (IOException e) {
            // refused
        }
    }
}
