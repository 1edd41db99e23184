package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Watches (inotify(7)) whose file criu cannot find again: it opens it by its handle
 * (criu/fsnotify.c), which an overlay or a FUSE file system does not let it do.
 */
final class WatchChecks {
    private static final Pattern WATCH =
            Pattern.compile("(?m)^inotify wd:\\p{XDigit}+ ino:\\p{XDigit}+ sdev:(\\p{XDigit}+) ");

    /** Fields 3 and, behind the dash, 9 of mountinfo (proc(5)). */
    private static final Pattern WITHOUT_HANDLES =
            Pattern.compile("(?dm)^\\d+ \\d+ (\\d+):(\\d+) .* - (overlay|fuse(\\.\\S+)?) ");

    private static final int MINOR_BITS = 20;

    private WatchChecks() {}

    /** What forbids the move. */
    static List<Finding> of(ProcessTree tree) {
        List<Finding> findings = new ArrayList<>();
        for (Member member : tree.members()) {
            try {
                look(member, findings);
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        return findings;
    }

    private static void look(Member member, List<Finding> findings) throws IOException {
        Proc process = member.process();
        for (var each : process.descriptors().entrySet()) {
            if (each.getValue().equals("anon_inode:inotify")
                    && watches(process, each.getKey(), devices(process))) {
                findings.add(
                        Finding.forbidden(
                                "inotify",
                                "process %d (%s) watches files at descriptor %d"
                                        .formatted(member.pid(), member.name(), each.getKey()),
                                "they are on an overlay or a FUSE file system, where criu cannot"
                                        + " find them again: Can't dump that handle",
                                "watch files elsewhere, or close it for the move"));
            }
        }
    }

    private static boolean watches(Proc process, int descriptor, Set<Long> devices)
            throws IOException {
        return WATCH.matcher(read(process, "fdinfo/" + descriptor))
                .results()
                .anyMatch(watch -> devices.contains(Long.parseLong(watch.group(1), 16)));
    }

    private static Set<Long> devices(Proc process) throws IOException {
        Set<Long> found = new HashSet<>();
        Matcher mount = WITHOUT_HANDLES.matcher(read(process, "mountinfo"));
        while (mount.find()) {
            long major = Long.parseLong(mount.group(1));
            found.add(major << MINOR_BITS | Long.parseLong(mount.group(2)));
        }
        return found;
    }

    private static String read(Proc process, String file) throws IOException {
        return Files.readString(process.file(file), StandardCharsets.ISO_8859_1);
    }
}
