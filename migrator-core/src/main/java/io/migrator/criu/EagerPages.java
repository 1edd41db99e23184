package io.migrator.criu;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Lets a restore with lazy pages take the pages that are in the images from there. A dump marks
 * those that could be lazy, whether any is to be or not, and the restore leaves them out
 * (criu/mem.c, restore_priv_vma_content): the job would have zeros in their place.
 */
public final class EagerPages {
    private static final int FLAGS = 4;

    /** PE_LAZY (criu/include/image.h). */
    private static final long LAZY = 2;

    private EagerPages() {}

    /**
     * Does it to an image that is made for it: what a JVM does for the first time takes long.
     *
     * @param scratch directory without such images
     */
    public static void rehearse(Path scratch) throws IOException {
        Path image = scratch.resolve("pagemap-1.img");
        new ImageFile(0, List.of(ProtoMessage.empty().with(FLAGS, LAZY))).write(image);
        make(scratch);
        Files.delete(image);
    }

    /** Takes the marks off the images of all processes. */
    public static void make(Path images) throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(images, "pagemap-[0-9]*.img")) {
            for (Path each : all) {
                ImageFile.edit(
                        each,
                        entry -> {
                            long flags = entry.number(FLAGS).orElse(0);
                            return (flags & LAZY) == 0
                                    ? null
                                    : entry.without(FLAGS).with(FLAGS, flags & ~LAZY);
                        });
            }
        }
    }
}
