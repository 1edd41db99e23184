package io.migrator.network;

import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Multicast groups that somebody in a network namespace listens to. */
public final class Multicast {
    private static final int INDEX = 0;
    private static final int GROUP6 = 2;
    private static final int HARDWARE = 4;
    private static final String PREFIX4 = "01005e";
    private static final int CLASS_D = 0xe0;
    private static final int CLASSES = 16;
    private static final int TOP_BIT = 0x80;

    private Multicast() {}

    /**
     * A group on an interface.
     *
     * @param device index of the interface
     * @param group address
     */
    public record Group(int device, byte[] group) {}

    /**
     * All groups there may be: of IPv4 the kernel tells the hardware addresses only, each of which
     * stands for 32 groups (RFC 1112 section 6.4).
     */
    public static List<Group> of(Proc process) throws IOException {
        List<Group> found = new ArrayList<>();
        for (String[] fields : table(process, "net/dev_mcast")) {
            if (fields[HARDWARE].startsWith(PREFIX4)) {
                byte[] low = HexFormat.of().parseHex(fields[HARDWARE].substring(PREFIX4.length()));
                for (int i = 0; i < 2 * CLASSES; i++) {
                    int second = low[0] & ~TOP_BIT | (i < CLASSES ? 0 : TOP_BIT);
                    byte first = (byte) (CLASS_D + i % CLASSES);
                    byte[] group = {first, (byte) second, low[1], low[2]};
                    found.add(new Group(Integer.parseInt(fields[INDEX]), group));
                }
            }
        }
        for (String[] fields : table(process, "net/igmp6")) {
            found.add(
                    new Group(
                            Integer.parseInt(fields[INDEX]),
                            HexFormat.of().parseHex(fields[GROUP6])));
        }
        return found;
    }

    private static List<String[]> table(Proc process, String name) throws IOException {
        try {
            String text = Files.readString(process.file(name), StandardCharsets.ISO_8859_1);
            return text.lines().map(line -> line.strip().split("\\s+")).toList();
        } catch (NoSuchFileException e) {
            return List.of(); // a kernel without it
        }
    }
}
