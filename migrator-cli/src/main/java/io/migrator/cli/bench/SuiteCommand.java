package io.migrator.cli.bench;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;

@Command(
        name = "suite",
        mixinStandardHelpOptions = true,
        description = {
            "How long jobs stand still, what that depends on, and how it compares with the same by"
                    + " hand and with other tools: many cases, in each round every one by every"
                    + " way. Needs root on both nodes.",
            "",
            "The cases are data: docs/benchmarks.md.",
        })
final class SuiteCommand implements Callable<Integer> {
    private static final String FULL = "suite.json";
    private static final String QUICK = "quick.json";

    @Mixin private Nodes nodes;

    @Option(names = "--quick", description = "A few cases, in less than 8 minutes.")
    private boolean quick;

    @Option(names = "--cases", paramLabel = "FILE", description = "Other cases than ours.")
    private @Nullable Path file;

    @Option(
            names = "--print-cases",
            description = "Only print the cases, as --cases takes them, and measure nothing.")
    private boolean print;

    @Option(
            names = "--repeat",
            paramLabel = "N",
            description = "Rounds that count; else as many as the cases say.")
    private @Nullable Integer repeat;

    @Mixin private Outputs outputs;

    @Override
    public Integer call() throws Problem, InterruptedException {
        if (file != null && quick) {
            throw Problem.usage("give either --cases or --quick");
        }
        String name = quick ? QUICK : FULL;
        if (print) {
            System.out.print(CaseFile.shipped(name));
            return 0;
        }
        CaseFile cases =
                file == null ? CaseFile.parse(CaseFile.shipped(name), name) : CaseFile.read(file);
        int rounds = repeat == null ? cases.repeat() : repeat;
        Duration pause = Duration.ofMillis(cases.pauseMillis());
        return Measurement.run(
                nodes, cases.cases(), new Rounds.Plan(rounds, pause, false), outputs);
    }
}
