package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.ForeignSocket;
import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Descriptors that criu can dump, but not as they are: what one was set to at its making, or what
 * became of its file since. Each was seen to fail, or to come back as something else (SupportIT).
 */
final class DescriptorChecks {
    private static final String DELETED = " (deleted)";
    private static final String MEMORY = "/memfd:";

    private static final Pattern SEMAPHORE = Pattern.compile("(?m)^eventfd-semaphore:\\s*1$");

    private static final int FORMAT = 0170000;
    private static final int CHARACTER = 0020000;
    private static final int BLOCK = 0060000;
    private static final int DIRECTORY = 0040000;

    private static final long MEMORY_DEVICES = 1;
    private static final long TUN = 10 << 8 | 200;

    private final List<Finding> findings = new ArrayList<>();

    private DescriptorChecks() {}

    /** What forbids the move. */
    static List<Finding> of(ProcessTree tree) {
        DescriptorChecks checks = new DescriptorChecks();
        for (Member member : tree.members()) {
            try {
                member.process()
                        .descriptors()
                        .forEach((number, link) -> checks.tryLook(member, number, link));
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        return checks.findings;
    }

    private void tryLook(Member member, int number, String link) {
        try {
            look(member, number, link);
        } catch (IOException e) {
            // it was closed while we looked
        }
    }

    private void look(Member member, int number, String link) throws IOException {
        Proc process = member.process();
        if (link.startsWith("/")) {
            if (!link.startsWith(MEMORY)) {
                file(member, number, link);
            }
        } else if (link.startsWith("pipe:") && process.isDirect(number)) {
            add(
                    "packet-pipe",
                    member,
                    "has a pipe of packets (O_DIRECT) at descriptor " + number,
                    "criu: The packetized mode for pipes is not supported yet",
                    "start the program without it");
        } else if (link.equals("anon_inode:[eventfd]")
                && SEMAPHORE.matcher(process.descriptorInfo(number)).find()) {
            add(
                    "eventfd",
                    member,
                    "has an eventfd that is a semaphore (EFD_SEMAPHORE) at descriptor " + number,
                    "criu says nothing and makes one of it that is none",
                    "start the program without it");
        }
    }

    private void file(Member member, int number, String link) throws IOException {
        Path descriptor = member.process().file("fd/" + number);
        int format = (Integer) Files.getAttribute(descriptor, "unix:mode") & FORMAT;
        if (link.endsWith(DELETED)
                && format != DIRECTORY
                && (Integer) Files.getAttribute(descriptor, "unix:nlink") > 0) {
            add(
                    "renamed-file",
                    member,
                    "has open %s, which has another name left, at descriptor %d"
                            .formatted(link, number),
                    "criu: Can't create link remap for that. Use link-remap option",
                    "let it close that file for the move, or remove the other name");
        } else if (format == BLOCK
                || format == CHARACTER
                        && !isKnown((Long) Files.getAttribute(descriptor, "unix:rdev"))) {
            add(
                    "device",
                    member,
                    "has open the device %s at descriptor %d".formatted(link, number),
                    "criu: Can't dump file of that type",
                    "let it close that device for the move");
        } else if (format == DIRECTORY && isWatched(member, number)) {
            add(
                    "dnotify",
                    member,
                    "is told of changes in %s (F_NOTIFY) at descriptor %d".formatted(link, number),
                    "criu says nothing and loses it: it would hear no more of it",
                    "start the program without it");
        }
    }

    /** Memory's (null, zero, random), terminals and tun (criu/files.c, dump_chrdev). */
    private static boolean isKnown(long device) {
        long major = device >> 8 & 0xfff;
        boolean isTerminal = major == 4 || major == 5 || major >= 128 && major < 144;
        return major == MEMORY_DEVICES || isTerminal || device == TUN;
    }

    /** Nothing else gives a directory an owner (fcntl(2), F_GETOWN). */
    private static boolean isWatched(Member member, int number) throws IOException {
        try (PidFd held = PidFd.open(member.process().pid());
                ForeignSocket directory = ForeignSocket.of(held, number)) {
            return directory.hasOwner();
        }
    }

    private void add(String check, Member member, String has, String because, String tryThis) {
        String who = "process %d (%s) ".formatted(member.pid(), member.name());
        findings.add(Finding.forbidden(check, who + has, because, tryThis));
    }
}
