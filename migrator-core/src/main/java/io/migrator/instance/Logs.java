package io.migrator.instance;

import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Apptainer's files for what the start script of an instance writes, {@code
 * ~/.apptainer/instances/logs/HOST/USER/NAME.out} and {@code .err}. They lie outside the instance
 * and have other names on another node, so a job that has them open is given the target's: what it
 * wrote before stays in those of the source.
 *
 * @param out for standard output
 * @param err for standard error
 */
public record Logs(Path out, Path err) {
    private static final Pattern MOUNT = Pattern.compile("(?m)^mnt_id:\\s*(\\d+)$");

    /**
     * One of the two that a job has open.
     *
     * @param errors true if it is {@code err}
     * @param name how criu calls it: its path inside without the first slash, or, where it is not
     *     in view inside, {@code [mount:inode]} in hexadecimal
     * @param inView true if the first
     */
    public record Held(boolean errors, String name, boolean inView) {
        private static final Pattern IDENTITY = Pattern.compile("\\[\\p{XDigit}+:\\p{XDigit}+]");
        private static final Pattern PATH = Pattern.compile("[^/\\p{Cntrl}][^\\p{Cntrl}]{0,4095}");

        /** Refuses what is neither: it may come from a peer. */
        public Held {
            if (!(inView ? PATH : IDENTITY).matcher(name).matches()) {
                throw new IllegalArgumentException("not a log file: " + name);
            }
        }

        /** What a dump is told of it with {@code --external}; empty if nothing. */
        public Optional<String> external() {
            return inView ? Optional.empty() : Optional.of("file" + name);
        }

        /**
         * What a restore is told with {@code --inherit-fd}. Without the first letter criu takes
         * another way, the only one that works for a file opened with O_NOFOLLOW (facts: users.md
         * section 5).
         */
        public String inherited() {
            return inView ? name : "ile" + name;
        }
    }

    /** What of the two the processes of a tree have open. */
    public List<Held> heldBy(ProcessTree tree) {
        Set<Held> found = new LinkedHashSet<>();
        for (ProcessTree.Member member : tree.members()) {
            try {
                for (Map.Entry<Integer, String> each : member.process().descriptors().entrySet()) {
                    held(member.process(), each.getKey(), each.getValue()).ifPresent(found::add);
                }
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        return new ArrayList<>(found);
    }

    /** One descriptor of a process, if it is one of them. */
    public Optional<Held> held(Proc process, int number, String link) throws IOException {
        boolean errors = link.endsWith(err.getFileName().toString());
        Path descriptor = process.file("fd/" + number);
        boolean named = errors || link.endsWith(out.getFileName().toString());
        if (!named || !Files.exists(descriptor)) {
            return Optional.empty();
        }
        Path file = errors ? err : out;
        if (!Files.exists(file) || !Files.isSameFile(descriptor, file)) {
            return Optional.empty();
        }
        if (isInView(process, descriptor, link)) {
            return Optional.of(new Held(errors, link.substring(1), true));
        }
        String info = Files.readString(process.file("fdinfo/" + number), StandardCharsets.US_ASCII);
        Matcher mount = MOUNT.matcher(info);
        if (!mount.find()) {
            throw new IOException("no mnt_id in fdinfo");
        }
        long inode = (Long) Files.getAttribute(descriptor, "unix:ino");
        String name = "[%x:%x]".formatted(Long.parseLong(mount.group(1)), inode);
        return Optional.of(new Held(errors, name, false));
    }

    /** Whether a process sees, by that name, the file that it has open. */
    public static boolean isInView(Proc process, Path descriptor, String link) throws IOException {
        Path inside = process.file("root").resolve(link.substring(1));
        return Files.exists(inside) && Files.isSameFile(inside, descriptor);
    }
}
