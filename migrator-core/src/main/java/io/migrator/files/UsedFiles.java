package io.migrator.files;

import io.migrator.files.UsedFile.Use;
import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.instance.Logs;
import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.instance.RunDirectory;
import io.migrator.linux.FileState;
import io.migrator.linux.Proc;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the files that a job uses, but those of its image, of the kernel, of its run directory, and
 * those without a name. One thread.
 */
public final class UsedFiles {
    private static final String DELETED = " (deleted)";

    // open(2)
    private static final int ACCESS = 3;
    private static final int READ_WRITE = 2;

    private static final int LOOKS = 5;
    private static final int LOOK_MILLIS = 10;

    /** A line of maps (proc(5)) of a file with a name: range, permissions, inode, name. */
    static final Pattern MAPPED =
            Pattern.compile("(?dm)^(\\S+) (\\S{4}) \\S+ \\S+ ([1-9]\\d*) +(/.*)$");

    private final Instance instance;
    private final Logs logs;
    private final Path runs;
    private final Map<String, UsedFile> found = new LinkedHashMap<>();
    private final boolean root = User.isRoot();
    private final Set<String> mapped = new HashSet<>();
    private @Nullable Mounts mounts;
    private @Nullable Layer layer;

    /** For the processes of an instance of this user. */
    public UsedFiles(Instance instance) throws Problem {
        this.instance = instance;
        this.logs = Instances.ofThisUser().logs(instance.name());
        this.runs = RunDirectory.of(instance.name()).path();
    }

    /** What is open, mapped or a working directory, and what is bound into the instance. */
    public List<UsedFile> of(ProcessTree tree) throws Problem, InterruptedException {
        found.clear();
        mapped.clear();
        for (Member member : tree.members()) {
            look(member);
        }
        try {
            bound();
        } catch (IOException e) {
            throw Problem.failed("what is bound into the instance is not seen")
                    .because(e.toString());
        }
        return new ArrayList<>(found.values());
    }

    /** One that is about to end has no directory any more, and is not seen to have ended yet. */
    private void look(Member member) throws Problem, InterruptedException {
        IOException failure = null;
        for (int i = 0; i < LOOKS && member.process().alive(); i++) {
            try {
                opened(member);
                mapped(member);
                directory(member);
                return;
            } catch (AccessDeniedException e) {
                return; // one that its owner may not look at forbids the move by itself
            } catch (IOException e) {
                failure = e;
                mapped.clear(); // all of it is looked at again
                Thread.sleep(LOOK_MILLIS);
            }
        }
        if (failure != null && member.process().alive()) {
            throw Problem.failed("the files of %s are not seen".formatted(by(member)))
                    .because(failure.toString());
        }
    }

    private void opened(Member member) throws IOException {
        for (Map.Entry<Integer, String> each : member.process().descriptors().entrySet()) {
            if (each.getValue().startsWith("/") && isOfInterest(member, each.getValue())) {
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
        boolean usual = Files.isRegularFile(link) || Files.isDirectory(link);
        if (usual && logs.held(member.process(), number, path).isEmpty()) {
            long access = member.process().openFlags(number) & ACCESS;
            Use written = access == READ_WRITE ? Use.MAPPABLE : Use.WRITTEN;
            FileState state = FileState.of(link);
            add(member, path, link, access == 0 ? Use.READ : written, state);
        }
    }

    /** The link by which the kernel lets a file be reached that is mapped is root's alone. */
    private void mapped(Member member) throws IOException {
        byte[] bytes = Files.readAllBytes(member.process().file("maps"));
        Matcher line = MAPPED.matcher(new String(bytes, StandardCharsets.UTF_8));
        while (line.find()) {
            String path = line.group(4);
            boolean written = line.group(2).charAt(3) == 's' && line.group(2).charAt(1) == 'w';
            Use use = written ? Use.MAPPABLE : Use.READ;
            // mapped in several parts and by several processes
            boolean isNew = mapped.add(use + line.group(3) + path);
            if (isNew && isOfInterest(member, path)) {
                Path link = member.process().file("map_files/" + plain(line.group(1)));
                try {
                    mapped(member, path, link, use, Long.parseUnsignedLong(line.group(3)));
                } catch (NoSuchFileException e) {
                    // unmapped meanwhile
                }
            }
        }
    }

    /** In maps addresses have at least eight digits, in map_files as many as they need. */
    private static String plain(String range) {
        return range.replaceFirst("^0+(?=.)", "").replaceFirst("-0+(?=.)", "-");
    }

    private void mapped(Member member, String path, Path link, Use use, long inode)
            throws IOException {
        UsedFile before = found.get(path);
        if (root) {
            FileState state = FileState.of(link);
            if (state.isRegular()) {
                add(member, path, link, use, state);
            }
        } else if (before != null && before.state().inode() == inode) {
            add(member, path, before.link(), use, before.state());
        } else {
            Path onNode = mounts(member.process()).onNode(path, inode, Mounts.ANY);
            if (onNode != null && FileState.of(onNode).isRegular()) {
                add(member, path, onNode, use, FileState.of(onNode));
            }
        }
    }

    private void directory(Member member) throws IOException {
        Path link = member.process().file("cwd");
        String path = Files.readSymbolicLink(link).toString();
        if (isOfInterest(member, path) && Files.isDirectory(link)) {
            add(member, path, link, Use.DIRECTORY, FileState.of(link));
        }
    }

    private boolean isOfInterest(Member member, String path) throws IOException {
        try {
            return !path.endsWith(DELETED)
                    && path.length() > 1
                    && !Path.of(path).startsWith(runs)
                    && !mounts(member.process()).isElsewhere(path);
        } catch (InvalidPathException e) {
            return false; // a name that cannot be told: criu will find the file there or not
        }
    }

    private Mounts mounts(Proc process) throws IOException {
        Mounts known = mounts;
        if (known == null) {
            known = Mounts.of(instance, process);
            mounts = known;
        }
        return known;
    }

    private static String by(Member member) {
        return "process %d (%s)".formatted(member.pid(), member.name());
    }

    private void add(Member member, String path, Path link, Use as, FileState state)
            throws IOException {
        UsedFile before = found.get(path);
        Path onNode;
        if (before == null || !before.state().isOf(state)) {
            onNode = mounts(member.process()).onNode(path, state.inode(), state.device());
        } else if (before.use().compareTo(as) >= 0) {
            return;
        } else {
            onNode = before.onNode();
        }
        Use use = Files.isDirectory(link) ? Use.DIRECTORY : as;
        if (onNode != null || isOfLayer(member, path, use, state)) {
            UsedFile file = new UsedFile(path, onNode, use, by(member), link, state);
            found.merge(path, file, UsedFile::and);
        }
    }

    /** What is unchanged in a layer Apptainer makes there as here. */
    private boolean isOfLayer(Member member, String path, Use use, FileState state)
            throws IOException {
        return use.compareTo(Use.WRITTEN) >= 0
                || (mounts(member.process()).isLayer(path) && layer().has(Path.of(path), state));
    }

    private Layer layer() throws IOException {
        Layer known = layer;
        if (known == null) {
            try {
                known = Layer.of(instance);
            } catch (Problem e) {
                throw new IOException(e.getMessage(), e);
            }
            layer = known;
        }
        return known;
    }

    /** What the instance has changed of its root; empty if it cannot. */
    public Optional<Layer> layerOfRoot() throws IOException {
        return mounts != null && mounts.isLayer("/") ? Optional.of(layer()) : Optional.empty();
    }

    /** Whether a file that the node has not is one of a layer that can be made anew. */
    public boolean isLayer(UsedFile file) {
        return mounts != null && mounts.isLayer(file.path());
    }

    /** A directory that is bound must be there before an instance can be started. */
    private void bound() throws IOException {
        if (mounts == null) {
            return;
        }
        for (Map.Entry<String, String> bind : mounts.binds().entrySet()) {
            Path onNode = Path.of(bind.getValue());
            boolean goesAnyway = onNode.startsWith(runs);
            if (CarriedFile.isPlain(bind.getValue())
                    && !goesAnyway
                    && Files.isDirectory(onNode)
                    && !found.containsKey(bind.getKey())) {
                FileState state = FileState.of(onNode);
                found.put(
                        bind.getKey(),
                        new UsedFile(
                                bind.getKey(), onNode, Use.BOUND, "the instance", onNode, state));
            }
        }
    }
}
