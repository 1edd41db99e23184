package io.migrator.fuzz;

import java.util.stream.Collectors;

/**
 * Text of /proc with names in it that a program chose: every byte but zero, escaped where the
 * kernel does it and nowhere else (seen on 6.18). A string stands for bytes, one for each
 * character.
 */
public final class KernelText {
    private KernelText() {}

    /** A name in status and comm (fs/proc/array.c, proc_task_name). */
    public static String ofTask(String name) {
        return name.replace("\\", "\\\\").replace("\n", "\\n");
    }

    /** A path in maps (fs/proc/task_mmu.c). */
    public static String ofMapping(String path) {
        return octal(path, "\n");
    }

    /** A path in mountinfo (fs/proc_namespace.c). */
    public static String ofMount(String path) {
        return octal(path, " \t\n\\");
    }

    private static String octal(String text, String escaped) {
        return text.chars()
                .mapToObj(
                        c -> escaped.indexOf(c) < 0 ? Character.toString(c) : "\\%03o".formatted(c))
                .collect(Collectors.joining());
    }

    /** A status file (proc_pid_status(5)) of a process with these. */
    public static String status(String name, char state, long parent, long uid, String pids) {
        return """
        Name:\t%s
        Umask:\t0022
        State:\t%s (somehow)
        Tgid:\t7
        Pid:\t7
        PPid:\t%d
        Uid:\t%d\t%d\t%d\t%d
        Groups:\t4 24\s
        NSpid:\t%s
        NSsid:\t%s
        VmRSS:\t    1024 kB
        Seccomp:\t2
        Cpus_allowed_list:\t0-3
        """
                .formatted(ofTask(name), state, parent, uid, uid, uid, uid, pids, pids);
    }

    /** A line of maps with a file. */
    public static String mapping(
            long start, long end, String permissions, long inode, String path) {
        String head =
                "%08x-%08x %s %08x fe:00 %s "
                        .formatted(start, end, permissions, 0, Long.toUnsignedString(inode));
        return (path.isEmpty() ? head : "%-73s%s".formatted(head, ofMapping(path))) + "\n";
    }
}
