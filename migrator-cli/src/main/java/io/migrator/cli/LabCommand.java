package io.migrator.cli;

import io.migrator.lab.Lab;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;

@Command(
        name = "lab",
        mixinStandardHelpOptions = true,
        customSynopsis = {
            "migrator lab up [--nodes 3] | down | status [--json] | exec NODE -- COMMAND...",
            "             | link NODE up|down | link NODE rate 1gbit|none | install PACKAGE... |"
                    + " image apps | purge",
            "             | fault list | fault arm NODE POINT ACTION | fault clear [NODE]",
            "             | fault await NODE POINT [SECONDS] | fault release NODE POINT%n",
        },
        description =
                "Two nodes on this machine, made of namespaces, with real Apptainer, criu and sshd."
                    + " Needs root. Faults are for trying what a crash leaves: each is armed on a"
                    + " node for the migrations that start later, at a named step of them.")
final class LabCommand implements Callable<Integer> {
    @Parameters(hidden = true)
    private List<String> words = List.of();

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws Problem, InterruptedException {
        if (words.isEmpty()) {
            throw Problem.usage("a word is missing after lab").tryThis("migrator lab --help");
        }
        Lab lab = Lab.ofThisDistribution();
        if (words.getFirst().equals("fault")) {
            PrintWriter out = spec.commandLine().getOut();
            int exit = new LabFault(lab, out).run(words.subList(1, words.size()));
            out.flush();
            return exit;
        }
        return lab.run(words);
    }
}
