package io.migrator.cli;

import io.migrator.criu.CriuBundle;
import io.migrator.criu.RootEntry;
import io.migrator.linux.User;
import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;

@Command(
        name = "setup",
        mixinStandardHelpOptions = true,
        description = {
            "Prepares this node, as root, for instances that Apptainer's setuid starter made.",
            "",
            "Only root can enter those. Installs the one small program that does it for their"
                    + " owners, and a copy of criu, in /var/lib/migrator, and prints the lines"
                    + " that let sudo start it:",
            "",
            "  migrator setup >/etc/sudoers.d/migrator",
            "",
            "To be run again when migrator or criu was updated. Nothing else of migrator needs it.",
        })
final class SetupCommand implements Callable<Integer> {
    @Option(
            names = "--allow",
            split = ",",
            paramLabel = "KIND",
            description = {
                "Also let jobs with these be moved: ${COMPLETION-CANDIDATES}. criu is given"
                    + " CAP_SYS_ADMIN for seccomp filters until it enters the job,"
                    + " CAP_DAC_READ_SEARCH for inotify: a fault in criu that a job could use would"
                    + " then be the node's."
            })
    private Set<RootEntry.Allowance> allowed = EnumSet.noneOf(RootEntry.Allowance.class);

    @Override
    public Integer call() throws Problem, InterruptedException {
        if (!User.isRoot()) {
            throw Problem.usage("only root can prepare a node").tryThis("sudo migrator setup");
        }
        CriuBundle bundle = RootEntry.install(allowed);
        System.err.printf(
                "installed in %s: foothold, criu %s%n",
                bundle.directory().getParent(), bundle.version());
        System.out.println(RootEntry.SUDOERS);
        return ExitCode.DONE.code();
    }
}
