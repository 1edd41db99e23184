package io.migrator.criu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The mappings of a process as its images have them (criu's images/mm.proto and vma.proto).
 *
 * @param areas in no order
 */
public record MemoryMap(List<Area> areas) {
    private static final int MM_VMAS = 14;
    private static final int VMA_START = 1;
    private static final int VMA_END = 2;

    /** One mapping, up to before its end. */
    public record Area(long start, long end) {}

    /**
     * The image that has those of one process.
     *
     * @param pid inside the instance
     */
    public static Path imageOf(Path images, int pid) {
        return images.resolve("mm-" + pid + ".img");
    }

    /** Reads the image of one process. */
    public static MemoryMap read(Path image) throws IOException {
        List<Area> areas = new ArrayList<>();
        for (ProtoMessage entry : ImageFile.read(image).entries()) {
            for (ProtoMessage vma : entry.messages(MM_VMAS)) {
                areas.add(new Area(vma.number(VMA_START).orElse(0), vma.number(VMA_END).orElse(0)));
            }
        }
        return new MemoryMap(List.copyOf(areas));
    }

    /** Returns true if an address lies in one of them. */
    public boolean holds(long address) {
        return areas.stream()
                .anyMatch(area ->
                        Long.compareUnsigned(area.start, address) <= 0
                                && Long.compareUnsigned(address, area.end) < 0);
    }
}
