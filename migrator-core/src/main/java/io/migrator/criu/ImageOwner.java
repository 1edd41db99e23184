package io.migrator.criu;

import io.migrator.instance.Instance;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Compares whom the processes of a dump belong to with the owner of the instance they are to be
 * restored in, before criu reads anything: images come from another node. The kernel would refuse
 * most of it in the end (criu has neither CAP_SETUID nor CAP_SETGID in an ordinary user's
 * instance), but not that a process keeps one of criu's own capabilities.
 *
 * <p>Field numbers are those of criu's images/core.proto and creds.proto.
 */
public final class ImageOwner {
    private static final int TASK_CORE = 3;
    private static final int TASK_STATE = 1;
    private static final long DEAD = 2; // compel/include/uapi/task-state.h
    private static final int THREAD_CORE = 5;
    private static final int CREDS = 10;
    private static final List<Integer> UIDS = List.of(1, 3, 5, 7);
    private static final List<Integer> GIDS = List.of(2, 4, 6, 8);
    private static final Map<Integer, String> CAPABILITIES =
            Map.of(9, "CapInh", 10, "CapPrm", 11, "CapEff", 12, "CapBnd", 19, "CapAmb");
    private static final int SECURE_BITS = 13;
    private static final int GROUPS = 14;
    private static final int NO_NEW_PRIVILEGES = 18;

    private final Proc appinit;
    private final boolean userNamespace;
    private final List<Long> uid;
    private final List<Long> gid;
    private final List<Long> groups;
    private final Map<Integer, Long> capabilities = new TreeMap<>();
    private final boolean bound;

    /** Reads all of it once: the job stands still meanwhile, and may have many threads. */
    private ImageOwner(Instance instance) throws IOException {
        this.appinit = new Proc(instance.appinit());
        this.userNamespace = instance.userNamespace();
        this.uid = List.of(inside("uid_map", "Uid"));
        this.gid = List.of(inside("gid_map", "Gid"));
        this.groups = appinit.statusNumbers("Groups");
        for (Map.Entry<Integer, String> each : CAPABILITIES.entrySet()) {
            String mask = appinit.status(each.getValue()).orElse("0");
            capabilities.put(each.getKey(), Long.parseUnsignedLong(mask, 16));
        }
        this.bound = appinit.status("NoNewPrivs").orElse("").equals("1");
    }

    /**
     * Looks at all threads of a dump.
     *
     * @param images directory
     * @param instance empty, of the same owner
     * @throws Problem if one is not his, or has more rights than the first process of the instance
     */
    public static void orForeign(Path images, Instance instance) throws Problem {
        int seen = 0;
        try (DirectoryStream<Path> cores = Files.newDirectoryStream(images, "core-*.img")) {
            ImageOwner owner = new ImageOwner(instance);
            for (Path core : cores) {
                for (ProtoMessage entry : ImageFile.read(core).entries()) {
                    owner.orForeign(core, entry);
                    seen++;
                }
            }
        } catch (IOException e) {
            throw Problem.failed("the images of the job cannot be read")
                    .because(e.getMessage())
                    .causedBy(e);
        }
        if (seen == 0) {
            throw Problem.failed("the images of the job hold no process");
        }
    }

    private void orForeign(Path core, ProtoMessage entry) throws IOException, Problem {
        List<ProtoMessage> threads = entry.messages(THREAD_CORE);
        if (threads.isEmpty() && isZombie(entry)) {
            return; // criu ends it again at once, and knows nothing of it but how it ended
        }
        List<ProtoMessage> all = threads.size() == 1 ? threads.getFirst().messages(CREDS) : threads;
        if (all.size() != 1) {
            throw foreign(core, "does not say once whose it is");
        }
        ProtoMessage creds = all.getFirst();
        orElse(core, "user ids", numbers(creds, UIDS), uid);
        orElse(core, "group ids", numbers(creds, GIDS), gid);
        if (!userNamespace) { // in one the others are not told, and cannot be set
            if (creds.bytes(GROUPS).isPresent()) {
                throw foreign(core, "has groups in a form of their own");
            }
            orElse(core, "groups", creds.numbers(GROUPS).stream(), groups);
        }
        for (Map.Entry<Integer, String> each : CAPABILITIES.entrySet()) {
            if (creds.bytes(each.getKey()).isPresent()) { // packed, which criu never writes
                throw foreign(core, "has capabilities in a form of their own");
            }
            long most = capabilities.getOrDefault(each.getKey(), 0L);
            if ((mask(core, creds.numbers(each.getKey())) & ~most) != 0) {
                throw foreign(core, "has capabilities (" + each.getValue() + ")");
            }
        }
        orElse(core, "secure bits", creds.numbers(SECURE_BITS).stream(), List.of(0L));
        if (bound && !creds.numbers(NO_NEW_PRIVILEGES).equals(List.of(1L))) {
            throw foreign(core, "could gain privileges by what it runs");
        }
    }

    private static boolean isZombie(ProtoMessage core) throws IOException {
        List<ProtoMessage> tasks = core.messages(TASK_CORE);
        return tasks.size() == 1 && tasks.getFirst().numbers(TASK_STATE).equals(List.of(DEAD));
    }

    private static Stream<Long> numbers(ProtoMessage creds, List<Integer> ids) {
        return ids.stream().flatMap(id -> creds.numbers(id).stream());
    }

    private static void orElse(Path core, String what, Stream<Long> has, List<Long> wanted)
            throws Problem {
        TreeSet<Long> found = new TreeSet<>(has.toList());
        if (!found.equals(new TreeSet<>(wanted))) {
            throw foreign(core, "has the %s %s, not %s".formatted(what, found, wanted));
        }
    }

    private static long mask(Path core, List<Long> words) throws Problem {
        long mask = 0;
        for (int i = 0; i < words.size(); i++) {
            long word = words.get(i);
            if (i > 1 || word >>> Integer.SIZE != 0) {
                throw foreign(core, "has capabilities that do not exist");
            }
            mask |= word << (i * Integer.SIZE);
        }
        return mask;
    }

    /** The owner's id as it is called inside (user_namespaces(7)). */
    private long inside(String map, String line) throws IOException {
        long outside = appinit.statusNumbers(line).getFirst();
        String text = Files.readString(appinit.file(map), StandardCharsets.US_ASCII);
        for (String range : text.lines().toList()) {
            List<Long> three = Stream.of(range.strip().split("\\s+")).map(Long::parseLong).toList();
            if (outside >= three.get(1) && outside - three.get(1) < three.get(2)) {
                return three.get(0) + outside - three.get(1);
            }
        }
        throw new IOException("the owner of the instance is nobody inside");
    }

    private static Problem foreign(Path core, String has) {
        return Problem.failed("the images are not those of a job of this user")
                .because(core.getFileName() + " " + has)
                .tryThis(
                        "see that the user has the same ids and groups on both nodes, and who sent"
                                + " this");
    }
}
