package io.migrator.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;

/** Processor time by /proc/PID/stat (proc(5)): user and system, in steps of a clock tick. */
public final class CpuSeconds {
    private static final int USER = 14;
    private static final int CHILDREN_SYSTEM = 17;

    /** Places in the first line of /proc/stat. */
    private static final int IDLE = 4;

    private static final int WAITING = 5;
    private static final int STOLEN = 8;

    /** USER_HZ is part of the kernel's interface: 100 on every architecture that Java runs on. */
    private static final double TICKS_PER_SECOND = 100;

    private CpuSeconds() {}

    /** This process, its children that live, and those that ended. */
    public static double ofThisProcess() throws IOException {
        double sum = of(Proc.self());
        for (ProcessHandle child : ProcessHandle.current().children().toList()) {
            try {
                sum += of(new Proc(child.pid()));
            } catch (IOException e) {
                // ended meanwhile: a whole reading is worth more than this one
            }
        }
        return sum;
    }

    /** The process that started this one: over SSH, the sshd that serves the connection. */
    public static double ofParent() throws IOException {
        return of(new Proc(Proc.self().parent()));
    }

    /** What {@code cat /proc/PID/stat} printed. */
    public static double of(String stat) {
        String[] rest = stat.substring(stat.lastIndexOf(')') + 2).strip().split(" ");
        double ticks = 0;
        for (int field = USER; field <= CHILDREN_SYSTEM; field++) {
            ticks += Long.parseLong(rest[field - 3]);
        }
        return ticks / TICKS_PER_SECOND;
    }

    /** All of a machine, since it started: what /proc/stat says. */
    public static double busy(String stat) {
        String[] ticks = stat.lines().findFirst().orElseThrow().split(" +");
        double busy = 0;
        for (int i = 1; i < STOLEN; i++) { // guests are counted in user and nice already
            busy += i == IDLE || i == WAITING ? 0 : Long.parseLong(ticks[i]);
        }
        return busy / TICKS_PER_SECOND;
    }

    private static double of(Proc process) throws IOException {
        return of(Files.readString(process.file("stat"), StandardCharsets.ISO_8859_1));
    }
}
