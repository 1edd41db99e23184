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
import io.migrator.files.UsedFile;
import io.migrator.files.UsedFiles;
import io.migrator.instance.Instance;
import io.migrator.instance.Instance.Mode;
import io.migrator.instance.ProcessTree;
import io.migrator.memory.JobSink;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
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

    private static final String SHARED = "shared";

    private static final double MEGA = 1e6;

    private final Instance instance;
    private final String id;
    private final Target target;
    private final FileWish wish;
    private final UsedFiles used;
    private final LeavingFiles leaving = new LeavingFiles();

    /** What was asked for, by the job's name of the file, and may stay where it is. */
    private final Set<String> settled = new HashSet<>();

    private final Set<String> made = new HashSet<>();
    private final List<UsedFile> toGo = new ArrayList<>();
    private final Map<String, Fate> fates = new HashMap<>();
    private List<UsedFile> late = List.of();

    JobFiles(Instance instance, String id, Target target, FileWish wish) throws Problem {
        this.instance = instance;
        this.id = id;
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
        return look(used.all(tree), node);
    }

    private List<Finding> look(List<UsedFile> all, String node)
            throws Problem, InterruptedException {
        List<UsedFile> unknown = new ArrayList<>();
        List<Finding> findings = new ArrayList<>();
        try {
            for (UsedFile each : all) {
                if (!settled.contains(each.path()) && isOpen(each) && !leaving.has(each)) {
                    unknown.add(each);
                }
            }
            List<UsedFile> onNode = unknown.stream().filter(each -> each.onNode() != null).toList();
            List<FileAnswer> answers = ask(onNode);
            for (int i = 0; i < answers.size(); i++) {
                findings.addAll(judge(onNode.get(i), answers.get(i), node));
            }
            for (UsedFile each : unknown) {
                if (each.onNode() == null) {
                    findings.addAll(judge(each));
                }
            }
        } catch (IOException e) {
            throw Problem.failed("the files of the job changed while they were looked at")
                    .because(e.toString())
                    .tryThis("try again");
        }
        return findings;
    }

    private List<FileAnswer> ask(List<UsedFile> files)
            throws Problem, InterruptedException, IOException {
        if (files.isEmpty()) {
            return List.of();
        }
        try (FileClaims claims = FileClaims.of(files, id)) {
            List<FileClaim> all = claims.all();
            List<FileAnswer> answers = target.files(all);
            if (answers.size() != all.size()) {
                throw Problem.failed("the target answered nonsense")
                        .because("it was asked for %d files".formatted(all.size()));
            }
            List<FileAnswer> checked = new ArrayList<>();
            for (int i = 0; i < answers.size(); i++) {
                checked.add(all.get(i).settled(answers.get(i)));
                fates.put(
                        files.get(i).path(),
                        new Fate(files.get(i).path(), SHARED, all.get(i).dataBytes()));
            }
            return checked;
        }
    }

    private List<Finding> judge(UsedFile file, FileAnswer answer, String node) {
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

    private List<Finding> another(UsedFile file, FileAnswer answer, String there) {
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

    private List<Finding> go(UsedFile file, FileAnswer answer, String there) {
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
        if (fate != null && fate.bytes() > HUGE_BYTES) {
            return refuse(
                    file,
                    "%s has %.0f MB".formatted(file.path(), fate.bytes() / MEGA),
                    file.by() + " uses it, and it is not on " + there,
                    "copy it there, or let the job use a shared file system");
        }
        return take(file);
    }

    /** In a layer of the instance, which ends with it. */
    private List<Finding> judge(UsedFile file) {
        if (instance.mode() == Mode.SETUID) {
            return refuse(
                    file,
                    file.path() + " is in the instance alone",
                    file.by() + " uses it, and only root could make it in the new one",
                    "bind a directory for it into the instance");
        }
        return take(file);
    }

    private List<Finding> settle(UsedFile file) {
        settled.add(file.path());
        return List.of();
    }

    private List<Finding> take(UsedFile file) {
        if (!CarriedFile.isPlain(file.path())) {
            return refuse(
                    file,
                    "a file of " + file.by() + " has a name that cannot be told",
                    "there are control characters in it",
                    "rename it");
        }
        fates.merge(
                file.path(),
                new Fate(file.path(), "carried", 0),
                (known, now) -> new Fate(known.path(), now.what(), known.bytes()));
        toGo.add(file);
        return List.of();
    }

    private List<Finding> refuse(UsedFile file, String what, String because, String tryThis) {
        fates.put(file.path(), new Fate(file.path(), "refused", 0));
        return List.of(Finding.forbidden("files", what, because, tryThis));
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
                    settled.add(each.path());
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
                if (isOpen(each)) { // else it is found again, if it is still used
                    all.add(announced(each));
                }
            }
            toGo.clear();
            if (!all.isEmpty()) {
                target.carry(all);
            }
        } catch (IOException e) {
            throw Problem.failed("a file of the job cannot be read")
                    .because(e.getMessage())
                    .tryThis("see that you may read what the job has open");
        }
    }

    private CarriedFile announced(UsedFile file) throws IOException {
        if (!file.directory()) {
            return leaving.add(file, wish.overwrites());
        }
        settled.add(file.path());
        Path inside = Path.of(file.path());
        return CarriedFile.directory(leaving.nextNumber(), true, inside, file.link());
    }

    /** Where it was seen it may be closed by now. */
    private static boolean isOpen(UsedFile file) {
        return Files.exists(file.link());
    }

    /** Sends files until little of them changes any more; the job runs. */
    void passes(JobSink sink, Cancellation cancellation) throws Problem, InterruptedException {
        for (int i = 0; i < MOST_PASSES; i++) {
            if (leaving.pass(sink, cancellation::orStop) < FEW_BYTES) {
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
        late = used.opened(frozen, settled::contains);
        leaving.pass(sink, () -> {});
    }

    /**
     * After {@link #last}: what it found goes along, and all that came comes to its place.
     *
     * @param spool in which is written down what is to be removed here when the job has gone
     */
    void place(JobSink sink, Path spool, String node) throws Problem, InterruptedException {
        List<Finding> findings = look(late, node);
        if (!findings.isEmpty()) {
            Finding first = findings.getFirst();
            throw Problem.failed(first.what()).because(first.because()).tryThis(first.tryThis());
        }
        if (!toGo.isEmpty()) {
            announce();
            leaving.pass(sink, () -> {});
        }
        if (leaving.count() == 0) {
            return;
        }
        try {
            leaving.list(spool);
            target.place(leaving.placed());
        } catch (IOException e) {
            throw Problem.failed("the files of the job could not be placed").because(e.toString());
        }
    }

    @Override
    public void close() throws IOException {
        leaving.close();
    }
}
