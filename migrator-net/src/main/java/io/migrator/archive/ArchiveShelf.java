package io.migrator.archive;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Archives of one job, one after the other: {@code FILE.000001} and so on, and {@code FILE} itself,
 * a link to the newest. One thread.
 */
public final class ArchiveShelf {
    private static final Pattern NUMBER = Pattern.compile("[0-9]{6,9}");

    private final Path file;
    private final int keep;

    /**
     * What is there of that name, and will be.
     *
     * @param file absolute
     * @param keep how many of the newest stay, and what they build on
     */
    public ArchiveShelf(Path file, int keep) {
        this.file = file;
        this.keep = keep;
    }

    /** The name of the next. */
    public Path next() throws Problem {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isSymbolicLink(file)) {
            throw Problem.refused(file + " exists, and is no link to an archive")
                    .because("the newest archive is to be found under that name")
                    .tryThis("name another file");
        }
        List<Path> all = all();
        int last = all.isEmpty() ? 0 : number(all.getLast());
        return file.resolveSibling("%s.%06d".formatted(file.getFileName(), last + 1));
    }

    private static int number(Path numbered) {
        String name = String.valueOf(numbered.getFileName());
        return Integer.parseInt(name.substring(name.lastIndexOf('.') + 1));
    }

    private List<Path> all() throws Problem {
        List<Path> found = new ArrayList<>();
        String prefix = file.getFileName() + ".";
        Path directory = file.resolveSibling("");
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path each : entries) {
                String name = String.valueOf(each.getFileName());
                boolean numbered =
                        name.startsWith(prefix)
                                && NUMBER.matcher(name.substring(prefix.length())).matches();
                if (numbered) {
                    found.add(each);
                }
            }
        } catch (IOException e) {
            throw Problem.refused(directory + " cannot be read").because(e.toString());
        }
        found.sort(Comparator.comparingInt(ArchiveShelf::number));
        return found;
    }

    /** An archive is whole: from here it is the newest, and what is too old goes. */
    public void put(Path newest) throws Problem {
        Path link = file.resolveSibling("." + file.getFileName() + ".newest");
        try {
            Files.deleteIfExists(link);
            Files.createSymbolicLink(link, newest.getFileName());
            Files.move(link, file, StandardCopyOption.ATOMIC_MOVE);
            List<Path> all = all();
            Set<Path> needed = needed(all.subList(Math.max(0, all.size() - keep), all.size()));
            for (Path each : all) {
                if (!needed.contains(each)) {
                    Files.delete(each);
                }
            }
        } catch (IOException e) {
            throw Problem.failed("older archives could not be removed").because(e.toString());
        }
    }

    private static Set<Path> needed(List<Path> kept) throws Problem {
        Set<Path> needed = new HashSet<>();
        for (Path each : kept) {
            Path at = each;
            while (at != null && Files.exists(at) && needed.add(at)) {
                ArchiveHead.@Nullable Parent parent = new ArchiveReader(at).head().parent();
                at = parent == null ? null : at.resolveSibling(parent.file());
            }
        }
        return needed;
    }
}
