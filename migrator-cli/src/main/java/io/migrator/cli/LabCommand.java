package io.migrator.cli;

import io.migrator.lab.Lab;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import java.util.List;
import java.util.concurrent.Callable;

@Command(
        name = "lab",
        mixinStandardHelpOptions = true,
        customSynopsis = {
            "migrator lab up [--nodes 3] | down | status [--json] | exec NODE -- COMMAND...",
            "             | link NODE up|down | link NODE rate 1gbit|none | purge%n",
        },
        description =
                "Two nodes on this machine, made of namespaces, with real Apptainer, criu and sshd."
                        + " Needs root.")
final class LabCommand implements Callable<Integer> {
    @Parameters(hidden = true)
    private List<String> words = List.of();

    @Override
    public Integer call() throws Problem, InterruptedException {
        if (words.isEmpty()) {
            throw Problem.usage("a word is missing after lab").tryThis("migrator lab --help");
        }
        return Lab.ofThisDistribution().run(words);
    }
}
