package io.migrator.instance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.linux.Proc;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Apptainer's records of a user's instances on this node: one JSON file each under {@code
 * ~/.apptainer/instances/app/HOST/USER/NAME/}. A record whose process is gone, or is not pid 1 of a
 * pid namespace of its own, is passed over: it says nothing that is true now.
 */
public final class Instances {
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * What Apptainer accepts as an instance name, but for names that begin with a dot or a dash:
     * the name is also that of a directory and an argument.
     */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,254}");

    private static final long RECORD_MAX_BYTES = 8L << 20;

    private final Path directory;
    private final Path logs;

    private Instances(Path directory, Path logs) {
        this.directory = directory;
        this.logs = logs;
    }

    /** The instances of the user who runs this JVM. */
    public static Instances ofThisUser() throws Problem {
        String configured = System.getenv("APPTAINER_CONFIGDIR");
        Path home = Path.of(System.getProperty("user.home"));
        Path config = configured == null ? home.resolve(".apptainer") : Path.of(configured);
        String user = User.name();
        Path whose = Path.of(hostName(), user);
        Path all = config.resolve("instances");
        return new Instances(all.resolve("app").resolve(whose), all.resolve("logs").resolve(whose));
    }

    /** The node's name, as gethostname(2) gives it and Apptainer uses it. */
    public static String hostName() throws Problem {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException e) {
            throw Problem.failed("the name of this node is not known").because(e.toString());
        }
    }

    /** Where Apptainer puts what the start script of an instance writes. */
    public Logs logs(String name) {
        return new Logs(logs.resolve(name + ".out"), logs.resolve(name + ".err"));
    }

    /** When Apptainer wrote down a running one, by the clock of then. */
    public Instant recordedAt(String name) throws IOException {
        Path file = directory.resolve(name).resolve(name + ".json");
        return Files.getLastModifiedTime(file).toInstant();
    }

    /** Every running instance, by name. */
    public List<Instance> running() throws Problem {
        List<Instance> found = new ArrayList<>();
        if (!Files.isDirectory(directory)) {
            return found;
        }
        try (Stream<Path> names = Files.list(directory)) {
            for (Path path : names.toList()) {
                read(String.valueOf(path.getFileName())).ifPresent(found::add);
            }
        } catch (IOException e) {
            throw Problem.failed("apptainer's records cannot be read").because(e.toString());
        }
        found.sort(Comparator.comparing(Instance::name));
        return found;
    }

    /** The running instance of that name, if there is one. */
    public Optional<Instance> find(String name) throws Problem {
        if (!NAME.matcher(name).matches()) {
            throw Problem.usage("'" + name + "' is not an instance name")
                    .because("names have letters, digits, and . _ - and do not begin with . or -")
                    .tryThis("migrator ls");
        }
        return read(name);
    }

    /** The running instance of that name. */
    public Instance get(String name) throws Problem {
        Optional<Instance> found = find(name);
        if (found.isPresent()) {
            return found.get();
        }
        List<String> others = running().stream().map(Instance::name).toList();
        throw Problem.usage("no instance '" + name + "' of yours runs here")
                .because(others.isEmpty() ? "none does" : "running: " + String.join(", ", others))
                .tryThis("migrator ls, or log in to the node where it runs");
    }

    private Optional<Instance> read(String name) throws Problem {
        Path file = directory.resolve(name).resolve(name + ".json");
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > RECORD_MAX_BYTES) {
                return Optional.empty();
            }
            Recorded recorded = Recorded.of(Files.readAllBytes(file));
            Proc appinit = new Proc(recorded.pid);
            if (!isAppinit(appinit)) {
                return Optional.empty();
            }
            boolean userNamespace = isInUserNamespace(appinit);
            return Optional.of(
                    new Instance(
                            name,
                            recorded.user,
                            appinit.pid(),
                            appinit.startTime(),
                            Path.of(recorded.image),
                            userNamespace,
                            StartOptions.of(recorded.image, userNamespace, recorded.settings)));
        } catch (IOException | IllegalArgumentException e) {
            throw Problem.failed("apptainer's record of instance '" + name + "' cannot be read")
                    .because(file + ": " + e.getMessage())
                    .causedBy(e);
        }
    }

    /** Pid 1 of a pid namespace that is not ours, owned by us (root may look at anybody's). */
    private static boolean isAppinit(Proc process) {
        try {
            int caller = Proc.self().uid();
            List<Long> pids = process.statusNumbers("NSpid");
            return pids.size() > 1
                    && pids.getLast() == 1
                    && (caller == 0 || caller == process.uid());
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * By what ids mean in it, which anybody may read: the namespace itself its owner may not look
     * at where the setuid starter made it.
     */
    private static boolean isInUserNamespace(Proc appinit) throws IOException {
        Path ids = appinit.file("uid_map");
        return Files.mismatch(ids, Proc.self().file("uid_map")) >= 0;
    }

    /** What a record holds; the job itself may have written it. */
    record Recorded(long pid, String user, String image, JsonNode settings) {
        /** Refuses what is none with IOException or IllegalArgumentException. */
        static Recorded of(byte[] record) throws IOException {
            JsonNode json = JSON.readTree(record);
            byte[] config = Base64.getDecoder().decode(json.path("config").asText());
            JsonNode settings =
                    JSON.readTree(new String(config, StandardCharsets.UTF_8))
                            .path("engineConfig")
                            .path("jsonConfig");
            return new Recorded(
                    json.path("pid").asLong(),
                    json.path("user").asText(),
                    json.path("image").asText(),
                    settings);
        }
    }
}
