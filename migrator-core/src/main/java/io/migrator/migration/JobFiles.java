package io.migrator.migration;

import io.migrator.check.Fate;
import io.migrator.check.Finding;
import io.migrator.check.Preflight;
import io.migrator.files.CarriedFile;
import io.migrator.files.FileAnswer;
import io.migrator.files.FileClaim;
import io.migrator.files.FileClaims;
import io.migrator.files.FileRules;
import io.migrator.files.FileWish;
import io.migrator.files.JobTrees;
import io.migrator.files.Layer;
import io.migrator.files.LeavingFiles;
import io.migrator.files.Overlay;
import io.migrator.files.PlacedFile;
import io.migrator.files.TreeEntry;
import io.migrator.files.UsedFile;
import io.migrator.files.UsedFiles;
import io.migrator.instance.Instance;
import io.migrator.instance.Instance.Mode;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.FileState;
import io.migrator.linux.Proc;
import io.migrator.linux.User;
import io.migrator.memory.JobSink;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The files that a job uses by their names: which the target has too, which go along, and which
 * forbid the move. What goes along is sent while the job runs, and what changed since when it
 * stands still. Used by one thread, but for {@link #last}.
 */
final class JobFiles implements AutoCloseable {
    /** A pass that sends less is the last while the job runs. */
    private static final long FEW_BYTES = 1 << 20;

    private static final int MOST_PASSES = 5;

    /** More than this is seldom meant to travel. */
    private static final long HUGE_BYTES = 64L << 30;

    /** With holes. */
    private static final long HUGE_LENGTH = 4L << 40;

    /** In a message. */
    private static final int MOST_AT_ONCE = 500;

    private static final String SHARED = "shared";

    private static final FileAnswer NOWHERE = new FileAnswer(FileAnswer.State.ABSENT, "", "");

    private static final int STICKY = 01000;

    private static final double MEGA = 1e6;

    private final Instance instance;
    private final Target target;
    private final FileWish wish;
    private final UsedFiles used;
    private final JobTrees trees;
    private final LeavingFiles leaving;

    /** What was asked for, by the job's name of the file, and may stay where it is. */
    private final Map<String, UsedFile> settled = new HashMap<>();

    private final Set<String> made = new HashSet<>();
    private final List<UsedFile> toGo = new ArrayList<>();
    private final Map<String, Fate> fates = new HashMap<>();
    private List<UsedFile> late = List.of();
    private boolean stands;
    private boolean overlaid;

    /** What is no plain file, in directories of which all goes along. */
    private List<TreeEntry> entries = List.of();

    /** Directories of the node of which all may go along: whether the target sees the same. */
    private final Map<Path, Boolean> shared = new HashMap<>();

    JobFiles(Instance instance, Target target, FileWish wish) throws Problem {
        this.instance = instance;
        this.target = target;
        this.wish = wish;
        this.used = new UsedFiles(instance);
        this.trees = new JobTrees(instance, wish.rules());
        this.leaving = new LeavingFiles(new Proc(instance.appinit()).file("root"));
    }

    /** What is used now, and what is in directories of which all goes along. */
    private List<UsedFile> all(ProcessTree tree) throws Problem, InterruptedException {
        List<UsedFile> all = new ArrayList<>(used.of(tree));
        try {
            all.addAll(trees.named());
            Optional<Layer> layer =
                    instance.mode() == Mode.ROOT ? used.layerOfRoot() : Optional.empty();
            JobTrees.Found found = trees.look(layer, directoriesOf(all));
            entries = found.others();
            return found.and(all);
        } catch (IOException e) {
            throw changed(e);
        }
    }

    private static Problem changed(IOException e) {
        return Problem.failed("the files of the job changed while they were looked at")
                .because(e.toString())
                .tryThis("try again");
    }

    /** By the job's names those of the node. */
    private Map<String, Path> directoriesOf(List<UsedFile> all)
            throws Problem, InterruptedException, IOException {
        Map<String, Path> found = new LinkedHashMap<>();
        for (UsedFile each : all) {
            Path path = each.onNode();
            if (path != null && each.directory() && goesWhole(each) && !isShared(path)) {
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

    /** Asks by a probe beside the first file in it. */
    private boolean isShared(Path directory) throws Problem, InterruptedException, IOException {
        Boolean known = shared.get(directory);
        if (known == null && stands) {
            return true; // found last of all: what of it is in use goes
        }
        if (known == null) {
            Optional<UsedFile> some = JobTrees.someFile(directory);
            known =
                    some.isPresent()
                            && answers(List.of(some.get()), false).values().stream()
                                    .anyMatch(each -> each.state() == FileAnswer.State.SAME);
            fates.remove(some.map(UsedFile::path).orElse(""));
            shared.put(directory, known);
        }
        return known;
    }

    /**
     * Looks which files there are, and asks the target for those that are new.
     *
     * @param node the target's name
     * @return what forbids the move
     */
    List<Finding> look(ProcessTree tree, String node) throws Problem, InterruptedException {
        List<Finding> findings = new ArrayList<>();
        try {
            if (!overlaid) {
                findings.addAll(overlay(node));
                overlaid = true;
            }
        } catch (IOException e) {
            throw changed(e);
        }
        findings.addAll(look(all(tree), node));
        findings.addAll(stay());
        return findings;
    }

    /** Its directory comes into being there with the instance, and is nobody else's. */
    private List<Finding> overlay(String node) throws Problem, InterruptedException, IOException {
        Optional<Overlay> given = Overlay.of(instance.start().arguments());
        if (given.isEmpty()) {
            return List.of();
        }
        Overlay overlay = given.get();
        String what = "the overlay %s cannot go along".formatted(overlay.path());
        if (instance.mode() != Mode.ROOT || !overlay.isDirectory()) {
            return List.of(
                    Finding.forbidden(
                            "files",
                            what,
                            overlay.isDirectory()
                                    ? "only root could fill it in the new instance"
                                    : "it is an image, which two nodes must not have mounted at a"
                                            + " time",
                            "bind a directory for what is written, or give the overlay :ro"));
        }
        UsedFile directory = JobTrees.overlay(overlay);
        UsedFile upper = JobTrees.upperOf(overlay);
        FileAnswer.State there =
                answers(List.of(upper), false).getOrDefault(upper, NOWHERE).state();
        fates.remove(upper.path());
        if (there != FileAnswer.State.ABSENT) {
            return List.of(
                    Finding.forbidden(
                            "files",
                            what,
                            there == FileAnswer.State.SAME
                                    ? node
                                            + " sees the same directory, and two nodes must not"
                                            + " have it mounted at a time"
                                    : overlay.upper() + " exists on " + node,
                            there == FileAnswer.State.SAME
                                    ? "put it on a disk of the node"
                                    : "remove it there"));
        }
        FileAnswer answer = answers(List.of(directory), false).getOrDefault(directory, NOWHERE);
        if (answer.state() != FileAnswer.State.ABSENT) {
            return List.of();
        }
        return go(directory, answer, overlay.path() + " on " + node).stream()
                .filter(Finding::forbids)
                .toList();
    }

    /** Nobody is to miss there what was not in use just now. */
    private List<Finding> stay() throws Problem, InterruptedException {
        Map<String, UsedFile> directories = new LinkedHashMap<>();
        List<Finding> findings = new ArrayList<>();
        try {
            for (UsedFile each : toGo) {
                Path path = each.onNode();
                if (path != null && each.use() == UsedFile.Use.DIRECTORY) {
                    directories.put(each.path(), each);
                }
            }
            for (UsedFile each : directories.values()) {
                Path path = Objects.requireNonNull(each.onNode());
                boolean said = wish.rules().of(each.path()).isPresent();
                List<String> others = said || goesWhole(each) ? List.of() : othersIn(each, path);
                if (!others.isEmpty()) {
                    findings.add(
                            Finding.warning(
                                    "files",
                                    "%d files in %s stay here, such as %s"
                                            .formatted(others.size(), path, others.getFirst()),
                                    each.by() + " works there, but has them not open",
                                    "take all of it along: --files carry"));
                }
            }
        } catch (IOException e) {
            throw changed(e);
        }
        return findings;
    }

    private List<String> othersIn(UsedFile directory, Path path) throws IOException {
        try (Stream<Path> all = Files.list(path)) {
            return all.map(each -> each.getFileName().toString())
                    .filter(name -> !fates.containsKey(directory.path() + "/" + name))
                    .sorted()
                    .toList();
        }
    }

    private List<Finding> look(List<UsedFile> all, String node)
            throws Problem, InterruptedException {
        List<UsedFile> onNode = new ArrayList<>();
        List<Finding> findings = new ArrayList<>();
        try {
            for (UsedFile each : all) {
                UsedFile known = settled.get(each.path());
                boolean asked = (known != null && known.covers(each)) || leaving.has(each);
                if (asked || !Files.exists(each.link())) { // what was closed is found again
                    continue;
                }
                if (wish.rules().of(each.path()).filter(FileRules.Act.REFUSE::equals).isPresent()) {
                    findings.addAll(
                            refuse(
                                    each,
                                    each.path() + " is in use",
                                    each.by() + " uses it, and a rule refuses that",
                                    "wait until it does not, or change the rule"));
                } else if (each.onNode() == null) {
                    findings.addAll(judge(each));
                } else {
                    onNode.add(each);
                }
            }
            findings.addAll(ask(onNode, node));
        } catch (IOException e) {
            throw changed(e);
        }
        return findings;
    }

    private List<Finding> ask(List<UsedFile> files, String node)
            throws Problem, InterruptedException, IOException {
        List<Finding> findings = new ArrayList<>();
        List<UsedFile> doubtful = new ArrayList<>();
        for (int from = 0; from < files.size(); from += MOST_AT_ONCE) {
            List<UsedFile> some = files.subList(from, Math.min(from + MOST_AT_ONCE, files.size()));
            for (Map.Entry<UsedFile, FileAnswer> each : answers(some, false).entrySet()) {
                boolean read = each.getKey().use() == UsedFile.Use.READ;
                if (read && each.getValue().state() == FileAnswer.State.ANOTHER) {
                    doubtful.add(each.getKey()); // perhaps others write to the very same
                } else {
                    findings.addAll(judge(each.getKey(), each.getValue(), node));
                }
            }
        }
        for (Map.Entry<UsedFile, FileAnswer> each : answers(doubtful, true).entrySet()) {
            findings.addAll(judge(each.getKey(), each.getValue(), node));
        }
        return findings;
    }

    private Map<UsedFile, FileAnswer> answers(List<UsedFile> files, boolean read)
            throws Problem, InterruptedException, IOException {
        Map<UsedFile, FileAnswer> found = new LinkedHashMap<>();
        if (files.isEmpty()) {
            return found;
        }
        try (FileClaims claims = FileClaims.of(files, read)) {
            List<FileClaim> all = claims.all();
            List<FileAnswer> answers = target.files(all);
            if (answers.size() != all.size()) {
                throw Problem.failed("the target answered nonsense")
                        .because("it was asked for %d files".formatted(all.size()));
            }
            for (int i = 0; i < answers.size(); i++) {
                UsedFile file = claims.files().get(i);
                found.put(file, all.get(i).settled(answers.get(i)));
                fates.put(file.path(), new Fate(file.path(), SHARED, all.get(i).dataBytes()));
            }
        }
        return found;
    }

    private List<Finding> judge(UsedFile file, FileAnswer answer, String node) throws IOException {
        String there = file.onNode() + " on " + node;
        return switch (answer.state()) {
            case SAME -> settle(file);
            case OTHER_KIND ->
                    refuse(
                            file,
                            there + (file.directory() ? " is no directory" : " is no plain file"),
                            file.by() + " uses it as " + (file.directory() ? "one" : "a file"),
                            "remove it there");
            case ABSENT -> go(file, answer, there);
            case ANOTHER -> another(file, answer, there);
        };
    }

    private List<Finding> another(UsedFile file, FileAnswer answer, String there)
            throws IOException {
        if (file.directory()) {
            return refuse(
                    file,
                    there + " has other permissions",
                    file.by() + " has it open, and criu compares them: File has bad mode",
                    "give it the same there: chmod");
        }
        if (wish.overwrites() && !isToBeShared(file)) {
            return go(file, answer, there);
        }
        return refuse(
                file,
                there + " is another file",
                file.by() + " has that of this node open, which would overwrite it",
                "remove it there, or allow it: --allow overwrite");
    }

    private List<Finding> go(UsedFile file, FileAnswer answer, String there) throws IOException {
        if (isToBeShared(file)) {
            return refuse(
                    file,
                    there + " is not there",
                    file.by() + " uses it, and it is not to be carried",
                    "leave out --files shared, or the rule for it");
        }
        if (!answer.problem().isEmpty()) {
            return refuse(
                    file,
                    there + " cannot be made",
                    "%s uses it; %s".formatted(file.by(), answer.problem()),
                    "make room for it there, or choose another node");
        }
        Fate fate = fates.get(file.path());
        if (fate != null && fate.bytes() > HUGE_BYTES || file.state().bytes() > HUGE_LENGTH) {
            return refuse(
                    file,
                    "%s has %.0f MB".formatted(file.path(), file.state().bytes() / MEGA),
                    file.by() + " uses it, and it is not on " + there,
                    "copy it there, or let the job use a shared file system");
        }
        List<Finding> findings = new ArrayList<>(take(file));
        if (file.use() == UsedFile.Use.BOUND) {
            findings.add(
                    Finding.warning(
                            "files",
                            there + " is made, and empty but for what goes along",
                            "it is bound into the instance and not there",
                            "if the job needs other files in it, copy them there before"));
        }
        return findings;
    }

    private boolean isToBeShared(UsedFile file) {
        return wish.rules()
                .of(file.path())
                .map(act -> act == FileRules.Act.SHARED)
                .orElse(wish.way() == FileWish.Way.SHARED);
    }

    /** It is in a layer of the instance, which ends with it. */
    private List<Finding> judge(UsedFile file) throws IOException {
        if (instance.mode() == Mode.ROOT && used.isLayer(file)) {
            return take(file);
        }
        if (!file.written() || !used.isLayer(file)) {
            return settle(file); // criu will find it there, or not
        }
        return refuse(
                file,
                file.path() + " is in the instance alone",
                file.by() + " uses it, and only root could make it in the new one",
                "bind a directory for it into the instance");
    }

    private List<Finding> settle(UsedFile file) {
        settled.put(file.path(), file);
        return List.of();
    }

    private List<Finding> take(UsedFile file) throws IOException {
        boolean plain =
                CarriedFile.isPlain(file.path())
                        && (file.onNode() == null || CarriedFile.isPlain(file.onNode().toString()));
        if (!plain) {
            return refuse(
                    file,
                    "a file of " + file.by() + " has a name that cannot be told",
                    "there are control characters in it",
                    "rename it");
        }
        if (!file.directory()) {
            Optional<UsedFile> other = sameAs(file);
            if (other.isPresent() && !other.get().path().equals(file.path())) {
                boolean sameName =
                        file.onNode() != null && file.onNode().equals(other.get().onNode());
                if (sameName) { // by another way into the instance
                    return settle(file);
                }
            }
        }
        fates.merge(
                file.path(),
                new Fate(file.path(), "carried", 0),
                (known, now) -> new Fate(known.path(), now.what(), known.bytes()));
        toGo.add(file);
        return List.of();
    }

    private Optional<UsedFile> sameAs(UsedFile file) {
        return toGo.stream()
                .filter(each -> !each.directory() && each.state().isOf(file.state()))
                .findFirst()
                .or(() -> leaving.sameAs(file));
    }

    private List<Finding> refuse(UsedFile file, String what, String because, String tryThis) {
        fates.put(file.path(), new Fate(file.path(), "refused", 0));
        return List.of(Finding.forbidden("files", what, because, tryThis));
    }

    /** Practises what is done while the job stands still, if there is anything to do. */
    void rehearse(Path scratch) throws IOException, Problem, InterruptedException {
        if (!toGo.isEmpty()) {
            LeavingFiles.rehearse(scratch);
        }
    }

    /** What becomes of each, in order of their names. */
    List<Fate> fates() {
        return fates.values().stream()
                .sorted((one, other) -> one.path().compareTo(other.path()))
                .toList();
    }

    /** Whether a file goes along, or cannot, and so is none that both nodes see. */
    boolean carries(String path) {
        Fate fate = fates.get(path);
        return fate != null && !fate.what().equals(SHARED);
    }

    /** Directories of the node that must be there before the instance is. */
    List<CarriedFile> directories() throws IOException {
        List<CarriedFile> all = new ArrayList<>();
        for (UsedFile each : toGo) {
            Path path = each.onNode();
            if (path != null) {
                int names = path.getNameCount();
                above(path, each.directory() ? names : names - 1, all);
                if (each.directory()) {
                    settle(each);
                }
            }
        }
        toGo.removeIf(each -> each.onNode() != null && each.directory());
        return all;
    }

    private void above(Path path, int names, List<CarriedFile> all) throws IOException {
        for (int i = 1; i <= names; i++) {
            Path directory = path.getRoot().resolve(path.subpath(0, i));
            if (made.add(directory.toString())) {
                all.add(CarriedFile.directory(leaving.nextNumber(), false, directory, directory));
            }
        }
    }

    /** Announces what is to go along to a target that is prepared. */
    void announce() throws Problem, InterruptedException {
        try {
            List<CarriedFile> all = new ArrayList<>(directories());
            all.addAll(leaving.announce(entries, wish.overwrites()));
            for (UsedFile each : toGo) {
                announced(each).ifPresent(all::add);
            }
            toGo.clear();
            for (int from = 0; from < all.size(); from += MOST_AT_ONCE) {
                target.carry(all.subList(from, Math.min(from + MOST_AT_ONCE, all.size())));
            }
        } catch (IOException e) {
            throw Problem.failed("a file of the job cannot be read")
                    .because(e.getMessage())
                    .tryThis("see that you may read what the job has open");
        }
    }

    /** Empty if it is closed by now; it is found again if it is used still. */
    private Optional<CarriedFile> announced(UsedFile file) throws IOException {
        boolean there = Files.exists(file.link()) && FileState.of(file.link()).isOf(file.state());
        if (!there) {
            return Optional.empty();
        }
        if (!file.directory()) {
            Optional<UsedFile> other = leaving.sameAs(file);
            return Optional.of(
                    other.isPresent() && !other.get().path().equals(file.path())
                            ? leaving.addLink(file, other.get(), wish.overwrites())
                            : leaving.add(file, wish.overwrites()));
        }
        settle(file);
        Path inside = Path.of(file.path());
        return Optional.of(CarriedFile.directory(leaving.nextNumber(), true, inside, file.link()));
    }

    /** Sends files until little of them changes any more; the job runs. */
    void passes(JobSink sink, Cancellation cancellation) throws Problem, InterruptedException {
        for (int i = 0; i < MOST_PASSES; i++) {
            if (leaving.pass(sink, true, cancellation::orStop) < FEW_BYTES) {
                return;
            }
        }
    }

    /** Looks once more: what was opened meanwhile goes along, too. */
    void update(ProcessTree tree, JobSink sink, Cancellation cancellation, String node)
            throws Problem, InterruptedException {
        new Preflight(look(tree, node)).orRefuse(instance.name());
        announce();
        passes(sink, cancellation);
    }

    /** The job stands still: sends what has changed, and finds what was opened last. */
    void last(ProcessTree frozen, JobSink sink) throws Problem, InterruptedException {
        stands = true;
        late = all(frozen);
        late.forEach(leaving::has); // how they are used now
        leaving.pass(sink, false, () -> {});
    }

    /**
     * After {@link #last}: what it found goes along, and all that came comes to its place.
     *
     * @param spool in which is written down what is to be removed here when the job has gone
     */
    void place(JobSink sink, Path spool, String node) throws Problem, InterruptedException {
        List<Finding> findings = look(late, node).stream().filter(Finding::forbids).toList();
        if (!findings.isEmpty()) {
            Finding first = findings.getFirst();
            throw Problem.failed(first.what()).because(first.because()).tryThis(first.tryThis());
        }
        boolean news = !toGo.isEmpty();
        announce();
        if (news) {
            leaving.pass(sink, false, () -> {});
        }
        if (leaving.isEmpty()) {
            return;
        }
        try {
            List<PlacedFile> all = leaving.placed(entries);
            leaving.list(spool, User.id(), Overlay.of(instance.start().arguments()));
            for (int from = 0; from < all.size(); from += MOST_AT_ONCE) {
                target.place(all.subList(from, Math.min(from + MOST_AT_ONCE, all.size())));
            }
        } catch (IOException e) {
            throw Problem.failed("the files of the job could not be placed").because(e.toString());
        }
    }

    @Override
    public void close() throws IOException {
        leaving.close();
    }
}
