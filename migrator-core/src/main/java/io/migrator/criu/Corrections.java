package io.migrator.criu;

import io.migrator.instance.ProcessTree;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What criu writes into images that would be wrong for the job is put right. */
public final class Corrections {
    private static final int THREAD_CORE = 5;

    private Corrections() {}

    /**
     * Changes the images of a dump that is held.
     *
     * @param tree whose threads are all held by criu
     */
    public static void make(Path images, ProcessTree tree) throws IOException {
        ExpiredTimers.arm(images);
        for (ProcessTree.Member member : tree.members()) {
            LateSignals.keep(images, member.pid(), member.process());
        }
        for (ProcessTree.Member root : tree.roots()) {
            DeathSignals.clear(images, root.threads());
        }
    }

    /**
     * Does the same to images that are nobody's: what a JVM does for the first time takes long.
     *
     * @param scratch directory for them, empty before and after
     * @param someone to be looked at, with few threads
     */
    public static void rehearse(Path scratch, Proc someone) throws IOException {
        Path core = scratch.resolve("core-1.img");
        Path files = scratch.resolve("files.img");
        ProtoMessage part = ProtoMessage.empty().with(1, 1);
        ImageFile image = new ImageFile(0, List.of(ProtoMessage.empty().with(THREAD_CORE, part)));
        image.write(core);
        image.write(files);
        List<Integer> threads = List.of(1);
        ProcessTree.Member member = new ProcessTree.Member(someone, 1, 1, 1, "", 0, threads, 0, 0);
        try {
            make(scratch, new ProcessTree(List.of(member)));
        } finally {
            Files.delete(core);
            Files.delete(files);
        }
    }
}
