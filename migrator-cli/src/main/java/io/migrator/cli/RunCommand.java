package io.migrator.cli;

import io.migrator.instance.Payload;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import java.util.List;
import java.util.concurrent.Callable;

@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        synopsisHeading = "Usage: ",
        customSynopsis = "migrator run [apptainer options] IMAGE NAME -- COMMAND [ARGUMENT...]%n",
        description = {
            "Starts a payload in a new instance, in the way that migrates best.",
            "",
            "The command becomes a session leader whose parent is the instance's pid 1. Its"
                    + " standard input is empty; its output goes to ~/.migrator/runs/NAME/stdout"
                    + " and stderr, a directory that moves with the job. Options before IMAGE are"
                    + " those of 'apptainer instance start'.",
        })
final class RunCommand implements Callable<Integer> {
    @Parameters(hidden = true)
    private List<String> words = List.of();

    @Override
    public Integer call() throws Problem, InterruptedException {
        int separator = words.indexOf("--");
        if (separator < 2 || separator == words.size() - 1) {
            throw Problem.usage("an image, a name and a command are needed")
                    .because("the command follows after --")
                    .tryThis("migrator run IMAGE NAME -- COMMAND");
        }
        Payload payload =
                new Payload(
                        words.subList(0, separator - 2),
                        words.get(separator - 2),
                        words.get(separator - 1),
                        words.subList(separator + 1, words.size()));
        payload.start();
        System.err.println(
                "'" + payload.name() + "' runs; its output is in " + payload.directory().path());
        return 0;
    }
}
