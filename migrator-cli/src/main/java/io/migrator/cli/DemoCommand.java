package io.migrator.cli;

import io.migrator.lab.Lab;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.util.List;
import java.util.concurrent.Callable;

@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Moves a job between two nodes made on this machine, and draws what happened when.",
            "",
            "The job holds 512 MB that it writes to, and a TCP connection to itself. It checks"
                    + " every page and every record. Needs root; the first time makes the lab"
                    + " (some minutes).",
        })
final class DemoCommand implements Callable<Integer> {
    private static final String FROM = "n1";
    private static final String TO = "n2";
    private static final long LOOK_MILLIS = 1000;
    private static final double MEGA = 1e6;

    @Option(names = "--keep", description = "Leave the job running where it is in the end.")
    private boolean keep;

    @Override
    public Integer call() throws Problem {
        if (!"root".equals(System.getProperty("user.name"))) {
            throw Problem.usage("only root can run the demo")
                    .because("its two nodes are made of namespaces and mounts")
                    .tryThis("sudo migrator demo");
        }
        Interruption.calls(Thread.currentThread()::interrupt);
        try {
            Lab lab = Lab.ofThisDistribution();
            say("making sure that the lab's nodes " + FROM + " and " + TO + " are up");
            if (lab.run(List.of("up")) != 0) {
                throw Problem.failed("the lab could not be set up")
                        .because("see above")
                        .tryThis("migrator lab purge, then again");
            }
            move(new DemoJob(lab));
            return ExitCode.DONE.code();
        } catch (InterruptedException e) {
            throw Problem.failed("the demo was interrupted").causedBy(e);
        }
    }

    private void move(DemoJob job) throws Problem, InterruptedException {
        stop(job); // what an earlier demo left
        try {
            say("starting a job of " + DemoJob.MEGABYTES + " MB with a TCP connection on " + FROM);
            job.start(FROM);
            Thread.sleep(LOOK_MILLIS);
            DemoJob.Reports before = job.sample(FROM);
            say("migrating it: migrator migrate demo --to " + TO);
            Move move = job.migrate(FROM, TO);
            say("letting it check itself on " + TO);
            DemoVerdict verdict = new DemoVerdict(before, job.verify(TO), job.sample(TO));
            List<String> faults = verdict.faults(TO);
            if (!faults.isEmpty()) {
                throw Problem.failed("the job was harmed by its migration")
                        .because(String.join("; ", faults));
            }
            print(move, verdict);
        } finally {
            if (!keep) {
                stop(job);
            }
        }
        say("the lab stays up for the next time; to take it down: migrator lab down");
    }

    /** Also when interrupted: then the interrupt is kept for later. */
    private static void stop(DemoJob job) throws Problem, InterruptedException {
        boolean interrupted = Thread.interrupted();
        for (String node : List.of(FROM, TO)) {
            job.stop(node);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void print(Move move, DemoVerdict verdict) {
        Timeline timeline =
                new Timeline(move.from(), move.to(), move.phases(), move.frozenMillis());
        System.out.println();
        timeline.lines(Timeline.Ink.of(System.out.charset())).forEach(System.out::println);
        System.out.printf(
                """

                 stood still  %7.0f ms  by migrator's measure, freeze to first instruction
                              %7.0f ms  by the job's own: longest gap between two of its ticks
                              %7.0f ms  by its TCP connection: longest time without data
                 moved        %7.0f MB  in %.1f s
                 verified     %7d pages right, 0 wrong
                              %7d records received over TCP, 0 lost, 0 wrong

                """,
                move.frozenMillis(),
                verdict.memoryGapMillis(),
                verdict.connectionGapMillis(),
                move.memoryBytes() / MEGA,
                move.totalMillis() / 1000,
                verdict.pages(),
                verdict.records());
    }

    private static void say(String text) {
        System.err.println("demo: " + text);
    }
}
