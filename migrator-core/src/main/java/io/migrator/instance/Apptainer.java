package io.migrator.instance;

import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The installed {@code apptainer} program: starting and stopping instances. Any thread. */
public final class Apptainer {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    private Apptainer() {}

    /**
     * Starts an instance.
     *
     * @param name a name that is free
     * @param options image, options and environment
     */
    public static void start(String name, StartOptions options)
            throws Problem, InterruptedException {
        List<String> argv = new ArrayList<>(options.environmentWords());
        argv.addAll(List.of("apptainer", "-q", "instance", "start"));
        argv.addAll(options.arguments());
        argv.addAll(List.of(options.image(), name));
        Command.of(argv).run(DEADLINE).orFail("instance '" + name + "' could not be started");
    }

    /** Stops an instance with all its processes; no complaint if it is gone already. */
    public static void stop(String name) throws Problem, InterruptedException {
        Command.Result result =
                Command.of("apptainer", "-q", "instance", "stop", "-s", "KILL", name)
                        .apart()
                        .run(DEADLINE);
        if (!result.ok() && !result.err().contains("no instance found")) {
            result.orFail("instance '" + name + "' could not be stopped");
        }
    }
}
