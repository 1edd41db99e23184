package io.migrator.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * What programs may find out about a processor and then rely on: those flags of /proc/cpuinfo that
 * stand for instructions or registers (x86: arch/x86/include/asm/cpufeatures.h), not those that
 * tell of the kernel's own use of it.
 */
public final class CpuFeatures {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");
    private static final Pattern NAME =
            Pattern.compile(
                    "(s?sse|avx|fma|amx_|aes|vaes|pclmul|vpclmul|gfni|sha_|bmi|xsave|movdir|clflush"
                        + "|clwb|cldemote|rdrand|rdseed|rdtscp|rdpid|fsgs|user_shstk).*"
                        + "|popcnt|movbe|f16c|adx|abm|cx16|pku|ospke|erms|fsrm|serialize|waitpkg"
                        + "|3dnowprefetch|hle|rtm|xop|tbm|lwp|lahf_lm");

    private CpuFeatures() {}

    /** Those of this node's first processor; its others are taken to be like it. */
    public static Set<String> ofThisNode() throws IOException {
        return in(Files.readString(CPUINFO, StandardCharsets.US_ASCII));
    }

    static Set<String> in(String cpuinfo) throws IOException {
        String flags =
                cpuinfo.lines()
                        .filter(line -> line.startsWith("flags"))
                        .findFirst()
                        .orElseThrow(() -> new IOException("no flags in " + CPUINFO));
        Set<String> found = new TreeSet<>();
        for (String flag : flags.substring(flags.indexOf(':') + 1).strip().split(" ")) {
            if (NAME.matcher(flag).matches()) {
                found.add(flag);
            }
        }
        return found;
    }
}
