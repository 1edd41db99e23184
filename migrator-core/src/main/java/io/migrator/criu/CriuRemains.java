package io.migrator.criu;

import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a criu that was killed in the midst of a dump left in a process: the shared mapping of its
 * parasite code, by the name that criu's compel gives it. Where no thread stands in it, it does no
 * harm and moves along; a thread that does is not where its program left it.
 *
 * @param bytes of address space
 * @param entered true if a thread was seen to wait in it
 */
public record CriuRemains(long bytes, boolean entered) {
    private static final Pattern MAPPING =
            Pattern.compile(
                    "(?dm)^(\\p{XDigit}+)-(\\p{XDigit}+) \\S+ \\S+ \\S+ \\S+ +/memfd:CRIUMFD("
                            + " .*)?$");

    /** Stack pointer and program counter end /proc/PID/task/TID/syscall (proc(5)). */
    private static final Pattern REGISTERS =
            Pattern.compile("0x(\\p{XDigit}+) 0x(\\p{XDigit}+)\\s*$");

    /** Looks at a process; needs the right to trace it. */
    public static Optional<CriuRemains> of(Proc process) throws IOException {
        String maps = text(process, "maps");
        if (!MAPPING.matcher(maps).find()) {
            return Optional.empty();
        }
        List<String> threads = new ArrayList<>();
        for (Proc thread : process.threads()) {
            threads.add(text(thread, "syscall"));
        }
        return in(maps, threads);
    }

    private static String text(Proc process, String file) throws IOException {
        return Files.readString(process.file(file), StandardCharsets.ISO_8859_1);
    }

    /** The same for what /proc says of the mappings, and of each thread's system call. */
    static Optional<CriuRemains> in(String maps, List<String> threads) {
        long bytes = 0;
        boolean entered = false;
        for (Matcher mapping = MAPPING.matcher(maps); mapping.find(); ) {
            long start = Long.parseUnsignedLong(mapping.group(1), 16);
            long end = Long.parseUnsignedLong(mapping.group(2), 16);
            bytes += end - start;
            entered |= threads.stream().anyMatch(thread -> isIn(thread, start, end));
        }
        return bytes == 0 ? Optional.empty() : Optional.of(new CriuRemains(bytes, entered));
    }

    private static boolean isIn(String thread, long start, long end) {
        Matcher registers = REGISTERS.matcher(thread);
        if (!registers.find()) {
            return false; // it runs, as no parasite does whose criu is dead
        }
        long stack = Long.parseUnsignedLong(registers.group(1), 16);
        long counter = Long.parseUnsignedLong(registers.group(2), 16);
        return within(stack, start, end) || within(counter, start, end);
    }

    private static boolean within(long address, long start, long end) {
        return Long.compareUnsigned(start, address) <= 0 && Long.compareUnsigned(address, end) < 0;
    }
}
