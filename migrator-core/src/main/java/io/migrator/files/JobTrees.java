package io.migrator.files;

import io.migrator.files.CarriedFile.Kind;
import io.migrator.instance.Instance;
import io.migrator.instance.RunDirectory;
import io.migrator.linux.ExtendedAttributes;
import io.migrator.linux.FileState;
import io.migrator.linux.HeldDirectory;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds what is in directories of which all goes along, be it in use or not: the layer of an
 * instance, which ends with it, and directories of the node that the user names. Follows no link.
 * One thread.
 */
public final class JobTrees {
    /** Of ours, beside files of the job. */
    private static final String OURS = ".migrator-";

    /** Each is held open on both nodes. */
    private static final int MOST_ENTRIES = 20_000;

    /** Of one directory, characters: they go in a message. */
    private static final int MOST_OF_NAMES = 200_000;

    private static final Path TOP = Path.of("/");

    /**
     * What was found.
     *
     * @param files plain ones, and directories
     */
    public record Found(List<UsedFile> files, List<TreeEntry> others) {
        /** Together with what is used, each path once. */
        public List<UsedFile> and(List<UsedFile> used) {
            Map<String, UsedFile> byPath = new LinkedHashMap<>();
            used.forEach(each -> byPath.merge(each.path(), each, UsedFile::and));
            files.forEach(each -> byPath.merge(each.path(), each, UsedFile::and));
            return List.copyOf(byPath.values());
        }
    }

    /**
     * A tree.
     *
     * @param mounts of a layer: what is mounted in it is none of it
     * @param layer null if all of it is the tree's
     * @param device of a tree of the node: what is on another is none of it
     */
    private record Tree(@Nullable Mounts mounts, @Nullable Layer layer, long device) {
        boolean has(FileState state, Path path) throws IOException {
            boolean inside = mounts == null ? state.device() == device : !mounts.isPoint(path);
            return inside && (layer == null || layer.has(path, state));
        }
    }

    private final Instance instance;
    private final FileRules rules;
    private final Path runs;
    private final Path root;
    private final List<UsedFile> files = new ArrayList<>();
    private final List<TreeEntry> others = new ArrayList<>();

    /** For an instance of this user. */
    public JobTrees(Instance instance, FileRules rules) throws Problem {
        this.instance = instance;
        this.rules = rules;
        this.runs = RunDirectory.of(instance.name()).path();
        this.root = new Proc(instance.appinit()).file("root");
    }

    /**
     * What lies in an overlay's upper directory and cannot go, as the instance does not see it:
     * below something that is mounted, or removed from the top directory of the image.
     */
    public Optional<Path> hiddenIn(Overlay overlay) throws IOException {
        Mounts mounts = Mounts.of(instance, new Proc(instance.appinit()));
        Path upper = overlay.upper();
        for (Path point : mounts.points()) {
            Path at = upper.resolve(TOP.relativize(point));
            if (!point.equals(TOP) && hasContent(at)) {
                return Optional.of(at);
            }
        }
        try (HeldDirectory top = HeldDirectory.open(TOP, upper)) {
            for (String name : top.names()) {
                Optional<FileState> state = FileState.ofName(top.file(name));
                if (state.filter(it -> it.kind() == FileState.Kind.DEVICE).isPresent()) {
                    return Optional.of(upper.resolve(name));
                }
            }
        }
        return Optional.empty();
    }

    private static boolean hasContent(Path path) throws IOException {
        if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            return Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && Files.size(path) > 0;
        }
        try (Stream<Path> all = Files.list(path)) {
            return all.findAny().isPresent();
        }
    }

    /**
     * What rules name that is to go along: what the node has of it, and the kernel's, the image's
     * and a layer's files not.
     */
    public List<UsedFile> named() throws Problem, IOException {
        List<UsedFile> found = new ArrayList<>();
        List<FileRules.Rule> carrying = rules.carrying();
        if (carrying.isEmpty()) {
            return found;
        }
        Mounts mounts = Mounts.of(instance, new Proc(instance.appinit()));
        for (FileRules.Rule rule : carrying) {
            Optional<Path> parent = rule.directory();
            if (parent.isPresent()) {
                try (HeldDirectory held = HeldDirectory.open(root, parent.get())) {
                    for (String name : held.names()) {
                        Path path = parent.get().resolve(name);
                        if (rule.fits().matches(path)) {
                            addNamed(mounts, held.file(name), path, found);
                        }
                    }
                } catch (NoSuchFileException e) {
                    // there is none yet
                } catch (IOException e) {
                    throw Problem.refused("a rule leads nowhere: carry " + rule.pattern())
                            .because(e.getMessage())
                            .tryThis("name it by the path that the job sees, without links");
                }
            }
        }
        return found;
    }

    private static void addNamed(Mounts mounts, Path at, Path path, List<UsedFile> found)
            throws IOException {
        Optional<FileState> there = FileState.ofName(at);
        if (there.isPresent()) {
            FileState state = there.get();
            String name = path.toString();
            Path onNode = mounts.onNode(name, state.inode(), state.device());
            boolean directory = state.kind() == FileState.Kind.DIRECTORY;
            if (onNode != null && (directory || state.isRegular())) {
                UsedFile.Use use = directory ? UsedFile.Use.DIRECTORY : UsedFile.Use.MAPPABLE;
                found.add(new UsedFile(name, onNode, use, "a rule", onNode, state));
            }
        }
    }

    /**
     * Looks again.
     *
     * @param layer of the instance, if it goes along
     * @param directories of the node of which all goes along, by the job's names of them
     */
    public Found look(Optional<Layer> layer, Map<String, Path> directories)
            throws Problem, IOException {
        files.clear();
        others.clear();
        if (layer.isPresent()) {
            Mounts mounts = Mounts.of(instance, new Proc(instance.appinit()));
            try (HeldDirectory top = HeldDirectory.open(root, TOP)) {
                walk(new Tree(mounts, layer.get(), Mounts.ANY), top, TOP, null);
            }
        }
        for (Map.Entry<String, Path> each : directories.entrySet()) {
            try (HeldDirectory top = HeldDirectory.open(TOP, each.getValue())) {
                long device = FileState.of(top.directory()).device();
                Path path = Path.of(each.getKey());
                walk(new Tree(null, null, device), top, path, each.getValue());
            }
        }
        return new Found(List.copyOf(files), List.copyOf(others));
    }

    /** What a directory has in it under a name. */
    private record Entry(
            HeldDirectory directory,
            String name,
            FileState state,
            Path path,
            @Nullable Path onNode) {
        Path at() {
            return directory.file(name);
        }

        TreeEntry other(Kind kind, String to, @Nullable List<String> names) throws IOException {
            Map<String, String> attributes =
                    kind == Kind.SYMBOLIC_LINK ? Map.of() : ExtendedAttributes.of(at());
            return new TreeEntry(path.toString(), onNode, kind, to, state, attributes, names);
        }
    }

    /** Returns the names in it that the target is to have. */
    private List<String> walk(Tree tree, HeldDirectory at, Path path, @Nullable Path onNode)
            throws Problem, IOException {
        List<String> names = new ArrayList<>();
        for (String name : at.names()) {
            Optional<FileState> state = FileState.ofName(at.file(name));
            if (state.isPresent() && !name.startsWith(OURS)) {
                Path there = onNode == null ? null : onNode.resolve(name);
                Entry entry = new Entry(at, name, state.get(), path.resolve(name), there);
                if (!tree.has(entry.state, entry.path) || add(tree, entry)) {
                    names.add(name);
                }
            }
        }
        return names;
    }

    /** Returns whether the target is to have it. */
    private boolean add(Tree tree, Entry entry) throws Problem, IOException {
        if (entry.onNode != null && stays(entry)) {
            return false;
        }
        if (files.size() + others.size() > MOST_ENTRIES) {
            throw Problem.refused("more than %d files would go along".formatted(MOST_ENTRIES))
                    .because("all goes that is in the directory of " + entry.path)
                    .tryThis("leave some here: a rule such as 'leave %s'".formatted(entry.path));
        }
        boolean plain =
                CarriedFile.isPlain(entry.path.toString())
                        && (entry.onNode == null || CarriedFile.isPlain(entry.onNode.toString()));
        if (!plain) {
            throw unusual(entry, "a name with control characters");
        }
        try {
            switch (entry.state.kind()) {
                case FILE -> files.add(used(entry, UsedFile.Use.MAPPABLE));
                case DIRECTORY -> directory(tree, entry);
                case FIFO -> others.add(entry.other(Kind.FIFO, "", null));
                case SYMBOLIC_LINK -> {
                    String to = Files.readSymbolicLink(entry.at()).toString();
                    if (!CarriedFile.isText(to)) {
                        throw unusual(entry, "a symbolic link that cannot be told");
                    }
                    others.add(entry.other(Kind.SYMBOLIC_LINK, to, null));
                }
                case SOCKET -> {
                    return false; // criu makes it, if somebody listens at it
                }
                case DEVICE -> throw unusual(entry, "a device");
            }
            return true;
        } catch (NoSuchFileException e) {
            return false; // it is gone again
        }
    }

    private boolean stays(Entry entry) {
        return entry.path.startsWith(runs)
                || rules.of(entry.path.toString()).filter(FileRules.Act.LEAVE::equals).isPresent();
    }

    private static Problem unusual(Entry entry, String what) {
        return Problem.refused(entry.path + " is " + what)
                .because("all is to go along that is in its directory")
                .tryThis("remove it");
    }

    private void directory(Tree tree, Entry entry) throws Problem, IOException {
        if (entry.onNode != null) {
            files.add(used(entry, UsedFile.Use.DIRECTORY));
        }
        try (HeldDirectory below = entry.directory.below(entry.name)) {
            List<String> names = walk(tree, below, entry.path, entry.onNode);
            if (names.stream().mapToInt(String::length).sum() > MOST_OF_NAMES) {
                throw unusual(entry, "a directory of too many files");
            }
            if (entry.onNode == null) {
                others.add(entry.other(Kind.DIRECTORY, "", names));
            }
        }
    }

    private UsedFile used(Entry entry, UsedFile.Use use) {
        Path link = entry.onNode == null ? root.resolve(TOP.relativize(entry.path)) : entry.onNode;
        return new UsedFile(
                entry.path.toString(), entry.onNode, use, UsedFile.INSTANCE, link, entry.state);
    }
}
