package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.files.FileAnswer;
import io.migrator.files.FileRules;
import io.migrator.files.FileWish;
import io.migrator.files.JobTrees;
import io.migrator.files.Layer;
import io.migrator.files.Overlay;
import io.migrator.files.TreeEntry;
import io.migrator.files.UsedFile;
import io.migrator.files.UsedFiles;
import io.migrator.instance.Instance;
import io.migrator.instance.Instance.Mode;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Directories of which all goes along: the writable layer of an instance of root, and those of the
 * node for which the user asks. One thread.
 */
final class WholeTrees {
    private static final String CHECK = "files";
    private static final int STICKY = 01000;
    private static final String MARKER = ".migrator-probe-";

    private final Instance instance;
    private final FileWish wish;
    private final FileQuestions questions;
    private final JobTrees trees;

    /** By directory of the node whether the target sees the same. */
    private final Map<Path, Boolean> shared = new HashMap<>();

    private List<TreeEntry> entries = List.of();

    WholeTrees(Instance instance, FileWish wish, FileQuestions questions) throws Problem {
        this.instance = instance;
        this.wish = wish;
        this.questions = questions;
        this.trees = new JobTrees(instance, wish.rules());
    }

    /**
     * What is in them, together with what is used.
     *
     * @param used what was found last
     * @param asks whether the target may be asked; else what would need that is left out
     */
    List<UsedFile> with(UsedFiles used, List<UsedFile> found, boolean asks)
            throws Problem, InterruptedException, IOException {
        List<UsedFile> all = new ArrayList<>(found);
        all.addAll(trees.named());
        Optional<Layer> layer =
                instance.mode() == Mode.ROOT ? used.layerOfRoot() : Optional.empty();
        JobTrees.Found inThem = trees.look(layer, directoriesOf(all, asks));
        entries = inThem.others();
        return inThem.and(all);
    }

    /** What is no plain file in them, as it was seen last. */
    List<TreeEntry> entries() {
        return entries;
    }

    /** By the job's names those of the node. */
    private Map<String, Path> directoriesOf(List<UsedFile> all, boolean asks)
            throws Problem, InterruptedException, IOException {
        Map<String, Path> found = new LinkedHashMap<>();
        for (UsedFile each : all) {
            Path path = each.onNode();
            if (path != null && each.directory() && goesWhole(each) && !isShared(path, asks)) {
                found.put(each.path(), path);
            }
        }
        return found;
    }

    /** Of a directory that others use, too, only that goes which the job has open. */
    private boolean goesWhole(UsedFile directory) throws IOException {
        Optional<FileRules.Act> rule = wish.rules().of(directory.path());
        boolean own =
                directory.state().uid() == User.id()
                        && (directory.state().permissions() & STICKY) == 0;
        return rule.isPresent()
                ? rule.get() == FileRules.Act.CARRY
                : own && wish.way() == FileWish.Way.CARRY;
    }

    /** Asks by a file in it, which is removed at once. */
    private boolean isShared(Path directory, boolean asks)
            throws Problem, InterruptedException, IOException {
        Boolean known = shared.get(directory);
        if (known == null && !asks) {
            throw Problem.failed("all of %s was to go along".formatted(directory))
                    .because("the job began to use it just before it was to stand still")
                    .passing();
        }
        if (known == null) {
            Path marker = Files.createTempFile(directory, MARKER, "");
            try {
                known =
                        questions.of(UsedFile.ofInstance(marker, UsedFile.Use.WRITTEN))
                                == FileAnswer.State.SAME;
            } finally {
                Files.delete(marker);
            }
            shared.put(directory, known);
        }
        return known;
    }

    /**
     * What forbids that the instance's overlay goes along: it comes into being there with the
     * instance, and is to be nobody else's.
     *
     * @param node the target's name
     */
    List<Finding> overlay(String node) throws Problem, InterruptedException, IOException {
        Optional<Overlay> given = Overlay.of(instance.start().arguments());
        if (given.isEmpty()) {
            return List.of();
        }
        Overlay overlay = given.get();
        if (!overlay.isDirectory()) {
            return List.of(
                    stays(
                            overlay,
                            "it is an image, which two nodes must not have mounted at a time",
                            "give the overlay :ro, or use a directory"));
        }
        if (instance.mode() != Mode.ROOT) {
            return List.of(
                    stays(
                            overlay,
                            "only root could fill it in the new instance",
                            "bind a directory for what is written"));
        }
        Optional<Path> hidden = trees.hiddenIn(overlay);
        if (hidden.isPresent()) {
            return List.of(
                    stays(
                            overlay,
                            hidden.get() + " is not seen in the instance",
                            "move it elsewhere, or start the instance without what hides it"));
        }
        UsedFile upper = UsedFile.ofInstance(overlay.upper(), UsedFile.Use.WRITTEN);
        return switch (questions.of(upper)) {
            case ABSENT -> List.of();
            case SAME ->
                    List.of(
                            stays(
                                    overlay,
                                    node
                                            + " sees it too, and two nodes must not have it mounted"
                                            + " at a time",
                                    "put it on a disk of the node"));
            default ->
                    List.of(
                            stays(
                                    overlay,
                                    overlay.upper() + " exists on " + node,
                                    "remove it there"));
        };
    }

    private static Finding stays(Overlay overlay, String because, String tryThis) {
        String what = "the overlay %s cannot go along".formatted(overlay.path());
        return Finding.forbidden(CHECK, what, because, tryThis);
    }

    /**
     * Warns of what is to be missed on the target, as it was not in use just now.
     *
     * @param toGo what goes along
     * @param known the job's names of what was seen
     */
    List<Finding> left(List<UsedFile> toGo, Set<String> known) throws IOException {
        List<Finding> findings = new ArrayList<>();
        for (UsedFile each : toGo) {
            Path path = each.onNode();
            boolean said = wish.rules().of(each.path()).isPresent();
            if (path == null || each.use() != UsedFile.Use.DIRECTORY || said || goesWhole(each)) {
                continue;
            }
            List<String> others = namesIn(path, each.path(), known);
            if (!others.isEmpty()) {
                findings.add(
                        Finding.warning(
                                CHECK,
                                "%d files in %s stay here, such as %s"
                                        .formatted(others.size(), path, others.getFirst()),
                                each.by() + " works there, but has them not open",
                                "take all of it along: --files carry"));
            }
        }
        return findings;
    }

    private static List<String> namesIn(Path directory, String path, Set<String> known)
            throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.map(each -> each.getFileName().toString())
                    .filter(name -> !known.contains(path + "/" + name))
                    .sorted()
                    .toList();
        }
    }
}
