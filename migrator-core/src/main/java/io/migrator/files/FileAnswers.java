package io.migrator.files;

import io.migrator.files.FileAnswer.State;
import io.migrator.instance.ImageIdentity;
import io.migrator.linux.FileState;
import io.migrator.linux.FileSystem;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Looks for the files of a job on this node, where it is to go; changes nothing. */
public final class FileAnswers {
    /** What others may take before the files have come. */
    private static final long MARGIN_BYTES = 64L << 20;

    private static final int STICKY = 01000;
    private static final double MEGA = 1e6;

    /** By file system: what is free, less what the claims so far will take. */
    private final Map<String, Long> room = new HashMap<>();

    private FileAnswers() {}

    /** One answer for each claim, in their order. */
    public static List<FileAnswer> of(List<FileClaim> claims) throws Problem {
        FileAnswers here = new FileAnswers();
        List<FileAnswer> answers = new ArrayList<>();
        for (FileClaim claim : claims) {
            try {
                answers.add(here.answer(claim));
            } catch (NoSuchFileException | InvalidPathException e) {
                answers.add(new FileAnswer(State.ABSENT, "", "its name leads nowhere there"));
            } catch (IOException e) {
                throw Problem.failed(claim.identity().path() + " cannot be looked for")
                        .because(e.toString());
            }
        }
        return answers;
    }

    private FileAnswer answer(FileClaim claim) throws IOException, Problem {
        Path path = Path.of(claim.identity().path());
        if (!path.isAbsolute() || !path.normalize().equals(path) || path.getParent() == null) {
            return new FileAnswer(State.ABSENT, "", "it has no plain path");
        }
        if (isSeen(path, claim)) {
            return new FileAnswer(State.SAME, "", ""); // also where it is not seen yet itself
        }
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return new FileAnswer(State.ABSENT, "", obstacle(path, claim.dataBytes()));
        }
        if (!Files.exists(path)) {
            return new FileAnswer(State.OTHER_KIND, "", "");
        }
        boolean isDirectory = claim.use().compareTo(UsedFile.Use.DIRECTORY) <= 0;
        if (Files.isDirectory(path) || isDirectory) {
            boolean both = Files.isDirectory(path) && isDirectory;
            return new FileAnswer(both ? directory(path, claim) : State.OTHER_KIND, "", "");
        }
        if (!Files.isRegularFile(path)) {
            return new FileAnswer(State.OTHER_KIND, "", "");
        }
        return file(path, claim);
    }

    private FileAnswer file(Path path, FileClaim claim) throws IOException, Problem {
        ImageIdentity ours = ImageIdentity.of(path);
        boolean alike =
                claim.use() == UsedFile.Use.READ
                        && ours.bytes() == claim.identity().bytes()
                        && claim.hasRightsOf(FileState.of(path));
        boolean sameNumbers =
                claim.probe().name().isEmpty()
                        && claim.use() != UsedFile.Use.READ
                        && ours.inode() == claim.identity().inode()
                        && ours.fileSystem().equals(claim.identity().fileSystem());
        if (sameNumbers || (alike && ours.sameFile(claim.identity()))) {
            return new FileAnswer(State.SAME, "", "");
        }
        String digest = alike ? ours.withDigest().digest() : "";
        return new FileAnswer(State.ANOTHER, digest, obstacle(path, claim.dataBytes()));
    }

    /** Others may give a file the name of the probe, but do not know what is in it. */
    private static boolean isSeen(Path path, FileClaim claim) throws IOException {
        String name = claim.probe().name();
        if (name.isEmpty()) {
            return false;
        }
        Path probe = path.resolveSibling(name);
        boolean plain =
                Path.of(name).getNameCount() == 1
                        && Files.isRegularFile(probe, LinkOption.NOFOLLOW_LINKS);
        return plain
                && Files.isReadable(probe)
                && Files.readString(probe, StandardCharsets.ISO_8859_1)
                        .equals(claim.probe().text());
    }

    /** Its permissions are nobody's to change who does not know what else it is for. */
    private static State directory(Path path, FileClaim claim) throws IOException {
        boolean compared = claim.use() == UsedFile.Use.DIRECTORY;
        boolean same = !compared || FileState.of(path).permissions() == claim.permissions();
        return same ? State.SAME : State.ANOTHER;
    }

    /** Why a file could not be made; empty if it could. */
    private String obstacle(Path path, long bytes) throws IOException {
        Path above = path.getParent();
        while (above != null && !Files.exists(above, LinkOption.NOFOLLOW_LINKS)) {
            above = above.getParent();
        }
        if (above == null || !Files.isDirectory(above)) {
            return above + " is no directory there";
        }
        if (!above.toRealPath().equals(above)) {
            return "there is a symbolic link in the path of " + above;
        }
        FileState directory = FileState.of(above);
        boolean trusted = directory.uid() == 0 || directory.uid() == User.id();
        if (!trusted && (directory.mode() & STICKY) == 0) {
            return above + " belongs to another user there";
        }
        if (!Files.isWritable(above)) {
            return above + " cannot be written to there";
        }
        FileSystem system = FileSystem.of(above);
        long left = room.getOrDefault(system.id(), system.freeBytes()) - bytes;
        room.put(system.id(), left);
        return left > MARGIN_BYTES
                ? ""
                : "the file system of %s has %.0f MB free there, which is too little"
                        .formatted(above, system.freeBytes() / MEGA);
    }
}
