package io.migrator.instance;

import com.fasterxml.jackson.databind.JsonNode;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How an instance was started, as far as {@code apptainer instance start} needs to be told again.
 * Read from the engine configuration in Apptainer's record (apptainer 1.4,
 * pkg/runtime/engine/apptainer/config/config.go, type JSONConfig, whose JSON names are used here).
 *
 * @param image the image argument
 * @param arguments options of {@code apptainer instance start}
 * @param environment what {@code --env} had set, name to value
 * @param unknown settings in force that cannot be replayed, by the name of the option
 */
public record StartOptions(
        String image,
        List<String> arguments,
        Map<String, String> environment,
        List<String> unknown) {

    /** What {@code apptainer instance start} runs in the instance, if the image has it. */
    private static final String START_SCRIPT = "/.singularity.d/startscript";

    private static final List<String> NETWORK = List.of("--network", "--network-args");

    /** Settings that are switches: JSON name, option. */
    private static final Map<String, String> SWITCHES =
            Map.ofEntries(
                    Map.entry("writableImage", "--writable"),
                    Map.entry("writableTmpfs", "--writable-tmpfs"),
                    Map.entry("container", "--contain"),
                    Map.entry("nvLegacy", "--nv"),
                    Map.entry("rocm", "--rocm"),
                    Map.entry("allowSUID", "--allow-setuid"),
                    Map.entry("keepPrivs", "--keep-privs"),
                    Map.entry("noPrivs", "--no-privs"),
                    Map.entry("noHome", "--no-home"),
                    Map.entry("noInit", "--no-init"),
                    Map.entry("noEval", "--no-eval"),
                    Map.entry("underlay", "--underlay"),
                    Map.entry("fakeroot", "--fakeroot"));

    /** Settings that take one text. */
    private static final Map<String, String> TEXTS =
            Map.of(
                    "workdir", "--workdir",
                    "hostname", "--hostname",
                    "addCaps", "--add-caps",
                    "dropCaps", "--drop-caps",
                    "dns", "--dns");

    /** Settings that are lists, one option for each element. */
    private static final Map<String, String> LISTS =
            Map.of(
                    "scratchdir",
                    "--scratch",
                    "overlayImage",
                    "--overlay",
                    "security",
                    "--security");

    /** Parts of a root file system that can be left out, and the name --no-mount has for each. */
    private static final Map<String, String> MOUNTS =
            Map.of(
                    "noProc", "proc",
                    "noSys", "sys",
                    "noDev", "dev",
                    "noDevPts", "devpts",
                    "noTmp", "tmp",
                    "noHostfs", "hostfs",
                    "noCwd", "cwd");

    /** Settings that name things of one node or that are not understood here. */
    private static final Map<String, String> UNKNOWN =
            Map.of(
                    "fuseMount", "--fusemount",
                    "cgroupsJSON", "--apply-cgroups",
                    "bootInstance", "--boot",
                    "nvCCLI", "--nvccli",
                    "encryptionKey", "--passphrase",
                    "devices", "--device");

    /**
     * Words before an {@code apptainer} command that give it this environment; not by its option
     * --env, which splits values at commas.
     */
    List<String> environmentWords() {
        List<String> words = new ArrayList<>();
        if (!environment.isEmpty()) {
            words.add("env");
            environment.forEach((name, value) -> words.add("APPTAINERENV_" + name + "=" + value));
        }
        return words;
    }

    /** Whether it is asked to be in a user namespace of its own. */
    public boolean inUserNamespace() {
        return arguments.contains("--userns") || arguments.contains("--fakeroot");
    }

    /** Whether it is asked to have a network namespace of its own. */
    public boolean hasOwnNetwork() {
        return arguments.contains("--net");
    }

    /** The same, in a network namespace of its own that holds nothing but loopback. */
    public StartOptions withOwnNetwork() {
        List<String> more = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            if (NETWORK.contains(arguments.get(i))) {
                i++; // and its value
            } else if (!arguments.get(i).equals("--net")) {
                more.add(arguments.get(i));
            }
        }
        more.addAll(List.of("--net", "--network", "none"));
        return new StartOptions(image, more, environment, unknown);
    }

    /**
     * The same, with another start script.
     *
     * @param script a file that need be there only while the instance is started
     */
    public StartOptions withStartScript(Path script) {
        List<String> more = new ArrayList<>(arguments);
        boolean writable = arguments.contains("--writable"); // what is not there is not made then
        if (!writable || Files.exists(Path.of(image + START_SCRIPT))) {
            more.addAll(List.of("--bind", script + ":" + START_SCRIPT));
        }
        return new StartOptions(image, more, environment, unknown);
    }

    /** Reads what a record holds; missing settings are the defaults. */
    static StartOptions of(String image, boolean userNamespace, JsonNode settings) {
        List<String> arguments = new ArrayList<>();
        if (userNamespace && !settings.path("fakeroot").asBoolean()) {
            arguments.add("--userns");
        }
        addSwitches(settings, arguments);
        addBinds(settings, arguments);
        if (isSet(settings.path("network"))) {
            arguments.addAll(List.of("--net", "--network", settings.path("network").asText()));
            settings.path("networkArgs")
                    .forEach(each -> arguments.addAll(List.of("--network-args", each.asText())));
        }
        if (settings.path("customHome").asBoolean()) {
            arguments.add("--home");
            arguments.add(
                    settings.path("homedir").asText() + ":" + settings.path("homeDest").asText());
        }
        Map<String, String> environment = new TreeMap<>();
        settings.path("apptainerEnv")
                .properties()
                .forEach(entry -> environment.put(entry.getKey(), entry.getValue().asText()));
        List<String> unknown =
                UNKNOWN.entrySet().stream()
                        .filter(entry -> isSet(settings.path(entry.getKey())))
                        .map(Map.Entry::getValue)
                        .sorted()
                        .toList();
        return new StartOptions(image, arguments, environment, unknown);
    }

    private static void addSwitches(JsonNode settings, List<String> arguments) {
        SWITCHES.forEach((name, option) -> {
            if (settings.path(name).asBoolean()) {
                arguments.add(option);
            }
        });
        TEXTS.forEach((name, option) -> {
            if (!settings.path(name).asText().isEmpty()) {
                arguments.addAll(List.of(option, settings.path(name).asText()));
            }
        });
        LISTS.forEach((name, option) ->
                settings.path(name)
                        .forEach(each -> arguments.addAll(List.of(option, each.asText()))));
        MOUNTS.forEach((name, mount) -> {
            if (settings.path(name).asBoolean()) {
                arguments.addAll(List.of("--no-mount", mount));
            }
        });
        settings.path("skipBinds")
                .forEach(each -> arguments.addAll(List.of("--no-mount", each.asText())));
    }

    private static void addBinds(JsonNode settings, List<String> arguments) {
        for (JsonNode bind : settings.path("bindpath")) {
            if (bind.path("destination").asText().equals(START_SCRIPT)) {
                continue; // our own, see withoutStartScript
            }
            StringBuilder text =
                    new StringBuilder()
                            .append(bind.path("source").asText())
                            .append(':')
                            .append(bind.path("destination").asText());
            char separator = ':';
            for (Map.Entry<String, JsonNode> option : bind.path("options").properties()) {
                String value = option.getValue().path("value").asText();
                text.append(separator).append(option.getKey());
                text.append(value.isEmpty() ? "" : "=" + value);
                separator = ',';
            }
            arguments.addAll(List.of("--bind", text.toString()));
        }
    }

    private static boolean isSet(JsonNode setting) {
        return setting.isArray()
                ? !setting.isEmpty()
                : setting.asBoolean() || !setting.asText().isEmpty() && !setting.isBoolean();
    }
}
