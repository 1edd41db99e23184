package io.migrator.files;

import io.migrator.files.UsedFile.Use;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.Logs;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.instance.RunDirectory;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the files that a job uses, but those of its image, of the kernel, of its run directory, and
 * those without a name. One thread.
 */
public final class UsedFiles {
    private static final String DELETED = " (deleted)";
    private static final Pattern FLAGS = Pattern.compile("(?m)^flags:\\s*([0-7]+)$");

    /** O_WRONLY and O_RDWR of open(2). */
    private static final int WRITES = 3;

    /** A line of maps (proc(5)) of a file with a name; the permissions and the name. */
    private static final Pattern MAPPED =
            Pattern.compile("(?m)^\\S+ (\\S{4}) \\S+ \\S+ [1-9]\\d* +(/.*)$");

    private final Instance instance;
    private final Logs logs;
    private final Path runs;
    private final Map<String, UsedFile> found = new LinkedHashMap<>();
    private @Nullable Mounts mounts;
    private Predicate<String> uninteresting = path -> false;

    /** For the processes of an instance of this user. */
    public UsedFiles(Instance instance) throws Problem {
        this.instance = instance;
        this.logs = Instances.ofThisUser().logs(instance.name());
        this.runs = RunDirectory.of(instance.name()).path();
    }

    /** What is open, mapped or a working directory, and what is bound into the instance. */
    public List<UsedFile> all(ProcessTree tree) throws Problem {
        found.clear();
        for (Member member : tree.members()) {
            try {
                opened(member);
                mapped(member);
                directory(member);
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        bound();
        return new ArrayList<>(found.values());
    }

    /**
     * What is open, and the working directories: a quick look.
     *
     * @param known says of a path that nobody asks for it
     */
    public List<UsedFile> opened(ProcessTree tree, Predicate<String> known) {
        found.clear();
        uninteresting = known;
        for (Member member : tree.members()) {
            try {
                opened(member);
                directory(member);
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        return new ArrayList<>(found.values());
    }

    private void opened(Member member) throws IOException {
        for (Map.Entry<Integer, String> each : member.process().descriptors().entrySet()) {
            if (each.getValue().startsWith("/")) {
                try {
                    opened(member, each.getKey(), each.getValue());
                } catch (NoSuchFileException e) {
                    // closed meanwhile
                }
            }
        }
    }

    private void opened(Member member, int number, String path) throws IOException {
        Path link = member.process().file("fd/" + number);
        if (isOfInterest(member, path)
                && (Files.isRegularFile(link) || Files.isDirectory(link))
                && logs.held(member.process(), number, path).isEmpty()) {
            Path info = member.process().file("fdinfo/" + number);
            Matcher flags = FLAGS.matcher(Files.readString(info, StandardCharsets.ISO_8859_1));
            boolean written = flags.find() && (Integer.parseInt(flags.group(1), 8) & WRITES) != 0;
            add(member, path, link, written ? Use.WRITTEN : Use.READ);
        }
    }

    private void mapped(Member member) throws IOException {
        Path maps = member.process().file("maps");
        Matcher line = MAPPED.matcher(Files.readString(maps, StandardCharsets.UTF_8));
        while (line.find()) {
            String path = line.group(2);
            boolean written = line.group(1).charAt(3) == 's' && line.group(1).charAt(1) == 'w';
            Path link = member.process().file("root").resolve(path.substring(1));
            if (isOfInterest(member, path) && Files.isRegularFile(link)) {
                add(member, path, link, written ? Use.MAPPED : Use.READ);
            }
        }
    }

    private void directory(Member member) throws IOException {
        Path link = member.process().file("cwd");
        String path = Files.readSymbolicLink(link).toString();
        if (isOfInterest(member, path)) {
            add(member, path, link, Use.DIRECTORY);
        }
    }

    private boolean isOfInterest(Member member, String path) throws IOException {
        return !uninteresting.test(path)
                && !path.endsWith(DELETED)
                && !Path.of(path).startsWith(runs)
                && !mounts(member.process()).isElsewhere(path);
    }

    private Mounts mounts(Proc process) throws IOException {
        Mounts known = mounts;
        if (known == null) {
            known = Mounts.of(instance, process);
            mounts = known;
        }
        return known;
    }

    private void add(Member member, String path, Path link, Use as) throws IOException {
        UsedFile before = found.get(path);
        Path onNode =
                before == null ? mounts(member.process()).onNode(path, link) : before.onNode();
        String by = "process %d (%s)".formatted(member.pid(), member.name());
        Use how = Files.isDirectory(link) ? Use.DIRECTORY : as;
        UsedFile use = new UsedFile(path, onNode, how, by, link);
        if (onNode == null && how == Use.READ) {
            return; // of a layer, but unchanged: Apptainer makes it there as here
        }
        found.merge(path, use, UsedFile::and);
    }

    /** A directory that is bound must be there before an instance can be started. */
    private void bound() {
        if (mounts == null) {
            return;
        }
        mounts.binds()
                .forEach((inside, outside) -> {
                    Path onNode = Path.of(outside);
                    boolean goesAnyway = onNode.startsWith(runs);
                    if (!goesAnyway && Files.isDirectory(onNode) && !found.containsKey(inside)) {
                        found.put(
                                inside,
                                new UsedFile(inside, onNode, Use.BOUND, "the instance", onNode));
                    }
                });
    }
}
