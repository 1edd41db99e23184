package io.migrator.instance;

import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A payload to be started so that it migrates best: a session leader inside the instance (criu
 * cannot restore a session that is led from outside), child of appinit, without a parent-death
 * signal, with no descriptor that leads out of the instance but those of its own output files.
 *
 * @param options of {@code apptainer instance start}
 * @param image path of a SIF or a sandbox
 * @param name of the new instance
 * @param command program and arguments
 * @param environment that it gets beside its own
 */
public record Payload(
        List<String> options,
        String image,
        String name,
        List<String> command,
        Map<String, String> environment) {
    private static final Duration START = Duration.ofSeconds(60);

    /** Long enough for a program that cannot start to have said so. */
    private static final Duration SETTLE = Duration.ofMillis(150);

    /** Something to be done with a new instance before its program is started. */
    @FunctionalInterface
    public interface Fitting {
        /** Does it. */
        void fit(Instance instance) throws Problem, InterruptedException;
    }

    /** Where its output goes. */
    public RunDirectory directory() {
        return RunDirectory.of(name);
    }

    /**
     * Starts instance and payload.
     *
     * @param fitting done between the two
     * @throws Problem if the payload did not start; no instance is left then
     */
    public void start(Fitting fitting) throws Problem, InterruptedException {
        if (Instances.ofThisUser().find(name).isPresent()) {
            throw Problem.usage("an instance '" + name + "' runs already")
                    .tryThis("choose another name, or: apptainer instance stop " + name);
        }
        if (name.endsWith(RunDirectory.PREVIOUS)) {
            throw Problem.usage("a name must not end in " + RunDirectory.PREVIOUS)
                    .because("that is where the output of the run before is kept");
        }
        Path file = Path.of(image).toAbsolutePath();
        if (!Files.exists(file)) {
            throw Problem.usage("no image " + file).tryThis("give the path of a SIF or a sandbox");
        }
        directory().setAside();
        directory().create();
        List<String> arguments = new ArrayList<>(options);
        String own = directory().path().toString();
        arguments.addAll(List.of("--bind", own + ":" + own));
        Apptainer.start(name, new StartOptions(file.toString(), arguments, environment, List.of()));
        try {
            fitting.fit(Instances.ofThisUser().get(name));
            startCommand();
        } catch (Problem | InterruptedException e) {
            Apptainer.stop(name);
            throw e;
        }
    }

    private void startCommand() throws Problem, InterruptedException {
        Instance instance = Instances.ofThisUser().get(name);
        // "instance start --env" reaches the start script only
        List<String> argv = new ArrayList<>(instance.start().environmentWords());
        argv.addAll(List.of("apptainer", "-q", "exec"));
        if (instance.userNamespace()) {
            argv.add("--userns");
        }
        // setsid -f forks: its child leads a session of its own and has no parent-death signal
        argv.addAll(
                List.of(
                        "instance://" + name,
                        "setsid",
                        "-f",
                        "sh",
                        "-c",
                        "out=$1 err=$2; shift 2; exec \"$@\" </dev/null >\"$out\" 2>\"$err\"",
                        "sh",
                        directory().output().toString(),
                        directory().errors().toString()));
        argv.addAll(command);
        Command.of(argv)
                .run(START)
                .orFail("the payload could not be started (the image needs sh and setsid)");
        Thread.sleep(SETTLE);
        if (ProcessTree.of(instance).members().isEmpty() && !errors().isEmpty()) {
            throw Problem.failed("the payload ended at once").because(errors());
        }
    }

    private String errors() throws Problem {
        try {
            Path file = directory().errors();
            return Files.exists(file) ? Files.readString(file).strip() : "";
        } catch (IOException e) {
            throw Problem.failed("the payload's output cannot be read").because(e.toString());
        }
    }
}
