package io.migrator.cli;

import io.migrator.problem.Problem;

import picocli.CommandLine.Option;

/** The option that says which node a job is to move to. */
final class OneNode {
    @Option(
            names = "--to",
            required = true,
            paramLabel = "[USER@]NODE",
            description = "The node to move to, as you would write it after 'ssh'.")
    private String to = "";

    /** The node as it was written. */
    String node() throws Problem {
        if (to.contains(",")) {
            throw Problem.usage("--to takes one node here")
                    .because("'" + to + "' names several")
                    .tryThis("ask to which of them it could go: migrator check NAME --to " + to);
        }
        return to;
    }
}
