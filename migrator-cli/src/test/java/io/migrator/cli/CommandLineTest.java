package io.migrator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import picocli.CommandLine;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;

/** Command lines that are wrong: transcripts of what a person sees, and the exit code. */
class CommandLineTest {

    private record Said(int exit, String out, String err) {}

    @Test
    void anUnknownCommandIsNamed() {
        assertMisuse("move", "unmatched argument at index 0: 'move'", "migrator");
    }

    @Test
    void anUnknownOptionIsNamed() {
        assertMisuse("ls --jason", "unknown option: '--jason'", "migrator ls");
    }

    @Test
    void migrateNeedsATarget() {
        assertMisuse(
                "migrate job", "missing required option: '--to=[USER@]NODE'", "migrator migrate");
    }

    @Test
    void migrateGoesToOneNode() {
        for (String command : new String[] {"migrate", "rehearse", "migrate --dry-run"}) {
            assertEquals(
                    new Said(
                            2,
                            "",
                            """
                            migrator: error: --to takes one node here: 'n2,alice@n3' names several
                            migrator: try:   ask to which of them it could go: migrator check NAME --to n2,alice@n3
                            """),
                    say(command + " job --to n2,alice@n3"));
        }
    }

    @Test
    void checkTakesEachNodeOnce() {
        assertEquals(
                new Said(
                        2,
                        "",
                        """
                        migrator: error: --to names n2 twice: each node has one column
                        migrator: try:   leave one of them out
                        """),
                say("check job --to n2,n3,n2"));
        for (String hole : new String[] {"n2,,n3", ",n2"}) {
            Said said = say("check job --to " + hole);
            assertEquals(2, said.exit, said.err);
            assertTrue(said.err.contains("'' does not name a node"), said.err);
        }
    }

    @Test
    void checkNeedsNoTarget() {
        Said said = say("check ../etc");
        assertEquals(2, said.exit);
        assertTrue(said.err.contains("'../etc' is not an instance name"), said.err);
    }

    @Test
    void checkpointNeedsAFile() {
        assertMisuse(
                "checkpoint job",
                "missing required option: '--output=FILE'",
                "migrator checkpoint");
    }

    @Test
    void whatDoesNotGoWithACheckpointIsTold() {
        Map.of(
                        "-o f --memory hybrid", "--memory hybrid does not go with a file",
                        "-o -", "-o - goes with --leave-running only",
                        "-o - --leave-running --json", "-o - does not go with --json",
                        "-o f --keep 2", "--keep is a number from 1 on, and goes with --every",
                        "-o f --every 10s --keep 0", "--keep is a number from 1 on",
                        "-o f --every never", "--every never is not a time",
                        "-o - --every 10s", "--every goes with neither -o - nor --force",
                        "-o f --every 10s --force", "--every goes with neither -o - nor --force")
                .forEach((options, what) -> {
                    Said said = say("checkpoint job " + options);
                    assertEquals(2, said.exit, options);
                    assertTrue(said.err.contains("migrator: error: " + what), said.err);
                });
    }

    @Test
    void anArchiveThatIsNotThereIsTold() {
        for (String command : new String[] {"restore", "inspect"}) {
            Said said = say(command + " /no/archive");
            assertEquals(2, said.exit, said.err);
            assertTrue(said.err.contains("/no/archive cannot be read"), said.err);
        }
    }

    @Test
    void migrateNeedsAName() {
        assertMisuse("migrate --to n2", "missing required parameter: 'NAME'", "migrator migrate");
    }

    @Test
    void aChoiceThatDoesNotExistIsToldWithThoseThatDo() {
        assertMisuse(
                "migrate job --to n2 --transport carrier-pigeon",
                "invalid value for option '--transport': expected one of [AUTO, JSCH, SSH]"
                        + " (case-insensitive) but was 'carrier-pigeon'",
                "migrator migrate");
    }

    @Test
    void runNeedsACommandAfterTwoDashes() {
        for (String line :
                new String[] {"run", "run i.sif job", "run i.sif job --", "run -- true"}) {
            Said said = say(line);
            assertEquals(2, said.exit, line);
            assertEquals(
                    """
                    migrator: error: an image, a name and a command are needed: the command follows after --
                    migrator: try:   migrator run IMAGE NAME -- COMMAND
                    """,
                    said.err,
                    line);
        }
    }

    /** They are the payload's, not ours. */
    @Test
    void optionsBehindTheTwoDashesAreLeftAlone() {
        Said said = say("run --bind /x /no/image.sif job -- prog --help -V --debug");
        assertEquals(2, said.exit);
        assertEquals("", said.out);
        assertEquals(
                "migrator: error: no image /no/image.sif", said.err.lines().findFirst().orElse(""));
    }

    @Test
    void anInstanceNameIsChecked() {
        assertEquals(
                new Said(
                        2,
                        "",
                        """
                        migrator: error: '../etc' is not an instance name: names have letters, digits, and . _ - and do not begin with . or -
                        migrator: try:   migrator ls
                        """),
                say("check ../etc --to n2"));
    }

    @Test
    void labNeedsAWord() {
        assertEquals(
                new Said(
                        2,
                        "",
                        """
                        migrator: error: a word is missing after lab
                        migrator: try:   migrator lab --help
                        """),
                say("lab"));
    }

    @Test
    void aMigrationIsRefusedByItsIdAndTokenOnly() {
        assertEquals(
                new Said(2, "", "migrator: error: --token is missing or not a token\n"),
                say("receive --refuse m1"));
        Said hostile = say("receive --refuse ../x --token " + "0".repeat(32));
        assertEquals(4, hostile.exit());
        assertTrue(hostile.err().contains("'../x' does not name a migration"), hostile.err());
    }

    @Test
    void helpTellsTheExitCodesAndHidesTheFarEnd() {
        Said said = say("--help");
        assertEquals(0, said.exit);
        assertEquals("", said.err);
        for (String part :
                new String[] {
                    "Exit codes:", "0   done", "5   the payload is lost", "  migrate  "
                }) {
            assertTrue(said.out.contains(part), () -> part + " is not in " + said.out);
        }
        assertTrue(!said.out.contains("receive"), said.out);
    }

    /** No stack trace, and nothing on standard output. */
    private static void assertMisuse(String line, String what, String command) {
        assertEquals(
                new Said(
                        2,
                        "",
                        "migrator: error: " + what + "\nmigrator: try:   " + command + " --help\n"),
                say(line));
    }

    private static Said say(String line) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = Main.commandLine();
        command.setOut(new PrintWriter(out, true));
        command.setErr(new PrintWriter(err, true));
        int exit = command.execute(line.split(" "));
        return new Said(exit, out.toString(), err.toString());
    }
}
