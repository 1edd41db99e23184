package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;

import com.fasterxml.jackson.databind.node.MissingNode;

import io.migrator.linux.Command;

import java.time.Duration;

/** A terminal on n1 in which somebody migrates; what is armed there has made its directory. */
final class Terminal {
    private static final Duration MIGRATION = Duration.ofSeconds(120);
    private static final String ORDER = "/run/migrator-fault/terminal";

    /** Runs a program as the first of a terminal's session, shows what it shows, and obeys. */
    private static final String PTY =
            """
            import os, select, sys
            order = sys.argv[1]
            child, master = os.forkpty()
            if child == 0:
                os.execvp(sys.argv[2], sys.argv[2:])
            try:
                while True:
                    if select.select([master], [], [], 0.01)[0]:
                        os.write(1, os.read(master, 4096))
                    if os.path.exists(order):
                        close = open(order).read().strip() == 'close'
                        os.unlink(order)
                        if close:
                            break
                        os.write(master, b'\\x03')
            except OSError:
                pass # the program has ended
            os.close(master)
            end = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            sys.exit(end if end >= 0 else 128 - end)
            """;

    private final TwoNodes nodes;

    Terminal(TwoNodes nodes) {
        this.nodes = nodes;
    }

    /** Migrates to n2; after the terminal was closed nothing is seen any more. */
    Moved migrate(String name, String... options) throws Exception {
        String line = "migrator migrate %s --to n2 %s".formatted(name, String.join(" ", options));
        Command.Result result =
                nodes.run(
                        MIGRATION,
                        N1,
                        "bash",
                        "-c",
                        "python3 -c \"$1\" " + ORDER + " " + line + "; exit $?",
                        "bash",
                        PTY);
        return new Moved(result.exit(), MissingNode.getInstance(), result.out() + result.err());
    }

    void close() throws Exception {
        order("close");
    }

    void typeControlC() throws Exception {
        order("type");
    }

    private void order(String what) throws Exception {
        nodes.bash(N1, "echo %s >%s.draft; mv %s.draft %s".formatted(what, ORDER, ORDER, ORDER));
    }
}
