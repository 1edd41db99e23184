package io.migrator.cli.bench;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Measurements with their baselines in the same run; docs/benchmarks.md. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Measures on these nodes, beside what one would do by hand.",
        subcommands = {
            TransportCommand.class,
            SuiteCommand.class,
            MemoryCommand.class,
            NetworkCommand.class,
            FilesCommand.class,
            SendCommand.class,
            SinkCommand.class,
        })
public final class BenchCommand implements Runnable {
    @Spec private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(),
                "say what to measure: suite, transport, memory, network or files");
    }
}
