package io.migrator.migration;

import io.migrator.check.Fate;
import io.migrator.check.Finding;
import io.migrator.check.Preflight;
import io.migrator.files.CarriedFile;
import io.migrator.files.FileAnswer;
import io.migrator.files.FileRules;
import io.migrator.files.FileWish;
import io.migrator.files.LeavingFiles;
import io.migrator.files.Overlay;
import io.migrator.files.PlacedFile;
import io.migrator.files.UsedFile;
import io.migrator.files.UsedFiles;
import io.migrator.instance.Instance;
import io.migrator.instance.Instance.Mode;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.FileState;
import io.migrator.linux.FileSystem;
import io.migrator.linux.HeldFile;
import io.migrator.linux.Proc;
import io.migrator.linux.User;
import io.migrator.memory.JobSink;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The files that a job uses by their names: which the target has too, which go along, and which
 * forbid the move. What goes along is sent while the job runs, and what changed since when it
 * stands still. Used by one thread, but for {@link #last}.
 */
final class JobFiles implements AutoCloseable {
    /** A pass that sends less is the last while the job runs. */
    private static final long FEW_BYTES = 1 << 20;

    private static final int MOST_PASSES = 5;

    /** So many blocks may wait on the target to be written to its disk. */
    private static final int SYNC_BLOCKS = 256;

    /** More than this is seldom meant to travel. */
    private static final long HUGE_BYTES = 64L << 30;

    /** With holes. */
    private static final long HUGE_LENGTH = 4L << 40;

    private static final String SHARED = "shared";

    /** The name that the kernel's client gives (fs/nfs/unlink.c). */
    private static final Pattern REMOVED_ON_NFS = Pattern.compile("/\\.nfs\\p{XDigit}{20,24}$");

    private static final double MEGA = 1e6;

    /**
     * Milliseconds between looks at what is open: closed at one of them, it is closed again before
     * it matters. Unlike, so that they keep no step with a job that opens it at regular times.
     */
    private static final int[] MOMENTS = {1, 2, 3, 5, 8, 13, 21, 34, 55, 89};

    private final Instance instance;
    private final Target target;
    private final FileWish wish;
    private final UsedFiles used;
    private final FileQuestions questions;
    private final WholeTrees trees;
    private final LeavingFiles leaving;

    /** What was asked for, by the job's name of the file, and may stay where it is. */
    private final Map<String, UsedFile> settled = new HashMap<>();

    private final Set<String> made = new HashSet<>();
    private final List<UsedFile> toGo = new ArrayList<>();
    private final Map<String, Fate> fates = new HashMap<>();
    private List<UsedFile> late = List.of();
    private boolean overlaid;
    private int blocks;

    JobFiles(Instance instance, Target target, FileWish wish) throws Problem {
        this.instance = instance;
        this.target = target;
        this.wish = wish;
        this.used = new UsedFiles(instance);
        this.questions = new FileQuestions(target);
        this.trees = new WholeTrees(instance, wish, questions);
        this.leaving = new LeavingFiles(new Proc(instance.appinit()).file("root"));
    }

    /**
     * Looks which files there are, and asks the target for those that are new.
     *
     * @param node the target's name
     * @return what forbids the move
     */
    List<Finding> look(ProcessTree tree, String node) throws Problem, InterruptedException {
        try {
            List<Finding> findings = new ArrayList<>();
            if (!overlaid) {
                overlaid = true;
                findings.addAll(trees.overlay(node));
                Optional<Overlay> overlay = Overlay.of(instance.start().arguments());
                if (overlay.isPresent() && findings.isEmpty()) {
                    ask(
                                    List.of(
                                            UsedFile.ofInstance(
                                                    overlay.get().path(), UsedFile.Use.BOUND)),
                                    node,
                                    true)
                            .stream()
                            .filter(Finding::forbids) // what is made is not empty for long
                            .forEach(findings::add);
                }
            }
            late = trees.with(used, used.of(tree), true);
            findings.addAll(look(late, node, true));
            findings.addAll(trees.left(toGo, fates.keySet()));
            return findings;
        } catch (IOException e) {
            throw changed(e);
        }
    }

    private static Problem changed(IOException e) {
        return Problem.failed("the files of the job changed while they were looked at")
                .because(e.toString())
                .passing();
    }

    private List<Finding> look(List<UsedFile> all, String node, boolean runs)
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
                if (REMOVED_ON_NFS.matcher(each.path()).find()) {
                    findings.addAll(
                            refuse(
                                    each,
                                    each.path() + " was removed",
                                    each.by() + " has it open, and NFS keeps it for this node only",
                                    "let the job close it"));
                } else if (wish.rules()
                        .of(each.path())
                        .filter(FileRules.Act.REFUSE::equals)
                        .isPresent()) {
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
            findings.addAll(ask(onNode, node, runs));
        } catch (IOException e) {
            throw changed(e);
        }
        return findings;
    }

    /** Its moments are waited for only if the job runs. */
    private List<Finding> ask(List<UsedFile> files, String node, boolean runs)
            throws Problem, InterruptedException, IOException {
        List<Finding> findings = new ArrayList<>();
        List<UsedFile> doubtful = new ArrayList<>();
        Map<UsedFile, List<Finding>> ofReading = new LinkedHashMap<>();
        for (Map.Entry<UsedFile, FileQuestions.Told> each : told(files, false).entrySet()) {
            boolean read = each.getKey().use() == UsedFile.Use.READ;
            FileAnswer answer = each.getValue().answer();
            if (read && each.getValue().state() == FileAnswer.State.ANOTHER) {
                doubtful.add(each.getKey()); // perhaps others write to the very same
            } else if (read) {
                ofReading.put(each.getKey(), judge(each.getKey(), answer, node));
            } else {
                findings.addAll(judge(each.getKey(), answer, node));
            }
        }
        for (Map.Entry<UsedFile, FileQuestions.Told> each : told(doubtful, true).entrySet()) {
            ofReading.put(each.getKey(), judge(each.getKey(), each.getValue().answer(), node));
        }
        if (runs) {
            dropMomentary(ofReading);
        }
        ofReading.values().forEach(findings::addAll);
        return findings;
    }

    /** A file that is read for a moment is in nobody's way: it is read again on the target. */
    private void dropMomentary(Map<UsedFile, List<Finding>> ofReading)
            throws IOException, InterruptedException {
        Set<UsedFile> refused = new HashSet<>();
        ofReading.forEach((file, findings) -> {
            if (findings.stream().anyMatch(Finding::forbids)) {
                refused.add(file);
            }
        });
        for (int i = 0; i < MOMENTS.length && !refused.isEmpty(); i++) {
            Thread.sleep(MOMENTS[i]);
            for (UsedFile each : List.copyOf(refused)) {
                if (!isThere(each)) {
                    refused.remove(each);
                    ofReading.remove(each);
                    fates.remove(each.path());
                }
            }
        }
    }

    /** Whether it is used still. */
    private static boolean isThere(UsedFile file) throws IOException {
        try {
            return FileState.of(file.link()).isOf(file.state());
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private Map<UsedFile, FileQuestions.Told> told(List<UsedFile> files, boolean read)
            throws Problem, InterruptedException, IOException {
        Map<UsedFile, FileQuestions.Told> told = questions.of(files, read);
        told.forEach((file, each) ->
                fates.put(file.path(), new Fate(file.path(), SHARED, each.dataBytes())));
        return told;
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
            all.addAll(leaving.announce(trees.entries(), wish.overwrites()));
            for (UsedFile each : toGo) {
                announced(each).ifPresent(all::add);
            }
            toGo.clear();
            for (int from = 0; from < all.size(); from += FileQuestions.MOST_AT_ONCE) {
                target.carry(
                        all.subList(from, Math.min(from + FileQuestions.MOST_AT_ONCE, all.size())));
            }
        } catch (IOException e) {
            throw Problem.failed("a file of the job cannot be read")
                    .because(e.getMessage())
                    .tryThis("see that you may read what the job has open");
        }
    }

    /** Empty if it is closed by now; it is found again if it is used still. */
    private Optional<CarriedFile> announced(UsedFile file) throws IOException {
        if (!isThere(file)) {
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

    /** Sends files until little of them changes any more, or no less; the job runs. */
    void passes(JobSink sink, Cancellation cancellation) throws Problem, InterruptedException {
        long before = Long.MAX_VALUE;
        for (int i = 0; i < MOST_PASSES; i++) {
            long sent =
                    leaving.pass(
                            sink,
                            true,
                            () -> {
                                cancellation.orStop();
                                if (++blocks % SYNC_BLOCKS == 0) {
                                    target.sync();
                                }
                            });
            if (sent < FEW_BYTES) {
                return;
            }
            target.sync(); // when the job runs there it must not wait for the disk
            if (sent >= before) {
                return; // it writes as fast as that disk does
            }
            before = sent;
        }
    }

    /** Looks once more: what was opened meanwhile goes along, too. */
    void update(ProcessTree tree, JobSink sink, Cancellation cancellation, String node)
            throws Problem, InterruptedException {
        new Preflight(look(tree, node)).orRefuse(instance.name());
        writeBack(late); // there is less to do when it stands still
        announce();
        passes(sink, cancellation);
    }

    /** The job stands still: sends what has changed, and finds what was opened last. */
    void last(ProcessTree frozen, JobSink sink) throws Problem, InterruptedException {
        try {
            late = trees.with(used, used.of(frozen), false);
        } catch (IOException e) {
            throw changed(e);
        }
        late.forEach(leaving::has); // how they are used now
        writeBack(late);
        leaving.pass(sink, false, () -> {});
    }

    /**
     * What the job has written to files that the target sees, too, is to be seen there when it is
     * restored: where a client keeps what is written for a while, that is when it is written back.
     */
    private void writeBack(List<UsedFile> files) throws Problem {
        for (UsedFile each : files) {
            Fate fate = fates.get(each.path());
            if (fate == null || !fate.what().equals(SHARED) || !each.written()) {
                continue;
            }
            try (HeldFile held = HeldFile.open(each.link())) {
                if (FileSystem.of(held.file()).isRemote()) {
                    try (FileChannel open = FileChannel.open(held.file())) {
                        open.force(true);
                    }
                }
            } catch (NoSuchFileException e) {
                // closed meanwhile
            } catch (IOException e) {
                throw Problem.failed(each.path() + " could not be written back")
                        .because(e.toString());
            }
        }
    }

    /**
     * After {@link #last}: what it found goes along, and all that came comes to its place.
     *
     * @param spool in which is written down what is to be removed here when the job has gone
     * @param stay true if nothing is
     */
    void place(JobSink sink, Path spool, String node, boolean stay)
            throws Problem, InterruptedException {
        List<Finding> findings = look(late, node, false).stream().filter(Finding::forbids).toList();
        if (!findings.isEmpty()) {
            Finding first = findings.getFirst();
            throw Problem.failed(first.what())
                    .because(first.because())
                    .passing() // it was not there a moment before
                    .tryThis(first.tryThis());
        }
        boolean news = !toGo.isEmpty();
        announce();
        if (news) {
            leaving.pass(sink, false, () -> {});
        }
        Optional<Overlay> overlay = Overlay.of(instance.start().arguments());
        if (leaving.isEmpty() && overlay.isEmpty()) {
            return;
        }
        try {
            List<PlacedFile> all = leaving.placed(trees.entries());
            if (!stay) {
                leaving.list(spool, User.id(), overlay);
            }
            for (int from = 0; from < all.size(); from += FileQuestions.MOST_AT_ONCE) {
                target.place(
                        all.subList(from, Math.min(from + FileQuestions.MOST_AT_ONCE, all.size())));
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
