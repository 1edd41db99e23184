package io.migrator.migration;

import io.migrator.check.Fate;
import io.migrator.check.Finding;
import io.migrator.check.Preflight;
import io.migrator.files.CarriedFile;
import io.migrator.files.FileAnswer;
import io.migrator.files.FileClaim;
import io.migrator.files.FileClaims;
import io.migrator.files.FileWish;
import io.migrator.files.LeavingFiles;
import io.migrator.files.PlacedFile;
import io.migrator.files.UsedFile;
import io.migrator.files.UsedFiles;
import io.migrator.instance.Instance;
import io.migrator.instance.Instance.Mode;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.AccessLists;
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

    private static final double MEGA = 1e6;

    private final Instance instance;
    private final Target target;
    private final FileWish wish;
    private final UsedFiles used;
    private final LeavingFiles leaving = new LeavingFiles();

    /** What was asked for, by the job's name of the file, and may stay where it is. */
    private final Map<String, UsedFile> settled = new HashMap<>();

    private final Set<String> made = new HashSet<>();
    private final List<UsedFile> toGo = new ArrayList<>();
    private final Map<String, Fate> fates = new HashMap<>();
    private List<UsedFile> late = List.of();

    JobFiles(Instance instance, Target target, FileWish wish) throws Problem {
        this.instance = instance;
        this.target = target;
        this.wish = wish;
        this.used = new UsedFiles(instance);
    }

    /**
     * Looks which files there are, and asks the target for those that are new.
     *
     * @param node the target's name
     * @return what forbids the move
     */
    List<Finding> look(ProcessTree tree, String node) throws Problem, InterruptedException {
        return look(used.of(tree), node);
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
                if (each.onNode() == null) {
                    findings.addAll(judge(each));
                } else {
                    onNode.add(each);
                }
            }
            findings.addAll(ask(onNode, node));
        } catch (IOException e) {
            throw Problem.failed("the files of the job changed while they were looked at")
                    .because(e.toString())
                    .tryThis("try again");
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
        if (wish.overwrites() && wish.way() != FileWish.Way.SHARED) {
            return go(file, answer, there);
        }
        return refuse(
                file,
                there + " is another file",
                file.by() + " has that of this node open, which would overwrite it",
                "remove it there, or allow it: --allow overwrite");
    }

    private List<Finding> go(UsedFile file, FileAnswer answer, String there) throws IOException {
        if (wish.way() == FileWish.Way.SHARED) {
            return refuse(
                    file,
                    there + " is not there",
                    file.by() + " uses it, and --files shared carries none",
                    "leave out --files shared");
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
        for (UsedFile other : others()) {
            boolean twice = !file.directory() && other.state().isOf(file.state());
            if (twice && !other.path().equals(file.path())) {
                return twice(file, other);
            }
        }
        if (!file.directory() && AccessLists.has(file.link())) {
            return refuse(
                    file,
                    file.path() + " has an access control list",
                    file.by() + " uses it, and it would have other rights on the target",
                    "remove it for the move: setfacl -b");
        }
        fates.merge(
                file.path(),
                new Fate(file.path(), "carried", 0),
                (known, now) -> new Fate(known.path(), now.what(), known.bytes()));
        toGo.add(file);
        return List.of();
    }

    private List<UsedFile> others() throws IOException {
        List<UsedFile> others = new ArrayList<>(leaving.uses());
        others.addAll(toGo);
        return others;
    }

    /** By another way into the instance it is the same file there, too; a hard link is not. */
    private List<Finding> twice(UsedFile file, UsedFile other) {
        return Objects.equals(file.onNode(), other.onNode()) && file.onNode() != null
                ? settle(file)
                : refuse(
                        file,
                        file.path() + " and " + other.path() + " are one file",
                        file.by() + " uses it, and it would be two on the target",
                        "let the job use one of the names");
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
            return Optional.of(leaving.add(file, wish.overwrites()));
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
        late = used.of(frozen);
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
        if (!toGo.isEmpty()) {
            announce();
            leaving.pass(sink, false, () -> {});
        }
        if (leaving.isEmpty()) {
            return;
        }
        try {
            List<PlacedFile> all = leaving.placed(new Proc(instance.appinit()).file("root"));
            leaving.list(spool, User.id());
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
