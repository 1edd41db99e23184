package io.migrator.cli;

import io.migrator.cli.bench.BenchCommand;
import io.migrator.problem.ExitCode;
import io.migrator.problem.PlainText;
import io.migrator.problem.Problem;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Locale;
import java.util.Objects;

/** The command {@code migrator}: its subcommands, its exit codes, and how a problem is printed. */
@Command(
        name = "migrator",
        description = "Moves running Apptainer instances between nodes.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = {
            RunCommand.class,
            ListCommand.class,
            CheckCommand.class,
            MigrateCommand.class,
            RehearseCommand.class,
            CheckpointCommand.class,
            RestoreCommand.class,
            InspectCommand.class,
            RecoverCommand.class,
            SetupCommand.class,
            ReceiveCommand.class,
            BenchCommand.class,
            DemoCommand.class,
            LabCommand.class,
        },
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {
            "0:done",
            "1:failed, the payload runs where it was",
            "2:the command line was wrong",
            "3:refused by a check, nothing was touched",
            "4:undecided, the payload stands still",
            "5:the payload is lost",
        })
public final class Main implements Runnable {
    @Option(
            names = "--debug",
            scope = ScopeType.INHERIT,
            description = "Show where in the program an error arose.")
    private boolean debug;

    private final CommandLine line = new CommandLine(this);

    private Main() {
        // what they do not know themselves goes to apptainer, to the payload or to the lab
        line.getSubcommands()
                .forEach((name, command) -> {
                    if (name.equals("run") || name.equals("lab")) {
                        command.setUnmatchedOptionsArePositionalParams(true)
                                .setStopAtPositional(true)
                                .setEndOfOptionsDelimiter("\0");
                    }
                });
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler(Main::misused);
        line.setExecutionExceptionHandler(this::failed);
    }

    /** Runs one command and exits. */
    public static void main(String[] arguments) {
        Interruption.exit(commandLine().execute(arguments));
    }

    /** The command line, ready to be executed once. */
    static CommandLine commandLine() {
        return new Main().line;
    }

    @Override
    public void run() {
        line.usage(line.getErr());
    }

    private static int misused(CommandLine.ParameterException e, String[] arguments) {
        PrintWriter err = e.getCommandLine().getErr();
        String command = e.getCommandLine().getCommandSpec().qualifiedName();
        String what = Objects.requireNonNullElse(e.getMessage(), "bad arguments");
        err.println(
                Terminal.plain(
                        "migrator: error: "
                                + what.substring(0, 1).toLowerCase(Locale.ROOT)
                                + what.substring(1)));
        err.println("migrator: try:   " + command + " --help");
        return ExitCode.USAGE.code();
    }

    private int failed(Exception e, CommandLine command, CommandLine.ParseResult result) {
        PrintWriter err = command.getErr();
        Problem problem =
                e instanceof Problem known
                        ? known
                        : e instanceof InterruptedException
                                ? Problem.failed("it was cancelled")
                                : Problem.failed("an unexpected fault")
                                        .because(e.toString())
                                        .tryThis("report it with what --debug prints");
        err.println(Terminal.plain("migrator: error: " + problem.getMessage()));
        if (!problem.payload().isEmpty()) {
            err.println(Terminal.plain("migrator: state: " + problem.payload()));
        }
        if (!problem.tryThis().isEmpty()) {
            err.println(Terminal.plain("migrator: try:   " + problem.tryThis()));
        }
        if (debug) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            err.println(PlainText.of(trace.toString()));
        }
        return problem.exitCode().code();
    }
}
