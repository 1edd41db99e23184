package io.migrator.cli.bench;

import io.migrator.cli.Interruption;
import io.migrator.cli.report.Machine;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import java.util.List;

/** From the options of a command to its figures. */
final class Measurement {
    private Measurement() {}

    /**
     * Measures, prints and writes.
     *
     * @return exit code: 1 if anything failed
     */
    static int run(Nodes nodes, List<BenchCase> cases, Rounds.Plan plan, Outputs outputs)
            throws Problem, InterruptedException {
        if (plan.repeat() < 1) {
            throw Problem.usage("--repeat is at least 1");
        }
        outputs.validate();
        Interruption.calls(Thread.currentThread()::interrupt);
        return nodes.with(site -> {
            Machine machine =
                    Machine.of(command -> {
                        var said = site.exec(site.source(), command);
                        return said.out() + said.err();
                    });
            System.out.println(machine.text());
            Rounds rounds = new Rounds(site, cases, plan);
            rounds.run(() -> outputs.write(machine, rounds));
            List<MoveCase> figures = rounds.figures();
            Table.print(figures, rounds.noise());
            rounds.agreement().forEach(System.out::println);
            boolean well = figures.stream().allMatch(MoveCase::verified);
            return (well ? ExitCode.DONE : ExitCode.FAILED).code();
        });
    }
}
