package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What of a process goes along, tried kind by kind (kinds.pl) as root and as an ordinary user. The
 * table is written to target/support-table.md, for docs/support.md; {@code -Dkinds=REGEX} does
 * those kinds only. What is not carried has to be refused before the freeze, or to fail with the
 * job going on; nothing may come back broken.
 */
@Tag("long") // some fifteen minutes
class SupportIT {
    private static final int REFUSED = 3;
    private static final Path TABLE = Path.of("target/support-table.md");

    /** The first line of an error, without what is about the case alone. */
    private static final String PIDS =
            "process \\d+ \\(perl\\) |descriptor \\d+|\\[?0x\\p{XDigit}+]?";

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private static final Map<String, List<String>> ROWS = new TreeMap<>();
    private static final List<String> WRONG = new ArrayList<>();

    @BeforeAll
    static void putProgram() throws Exception {
        NODES.setUp();
        Kinds.put(NODES);
    }

    @Test
    void everyKind() throws Exception {
        String only = System.getProperty("kinds", "");
        for (String kind : NODES.out(N1, "perl", Kinds.PROGRAM).lines().toList()) {
            if (Pattern.compile(only).matcher(kind).find()) {
                List<String> cells =
                        List.of(
                                tried(NODES, kind),
                                tried(NODES.as("alice"), kind, "--userns"),
                                tried(NODES.as("alice"), kind));
                ROWS.put(kind, cells);
                System.out.printf("support: %s | %s%n", kind, String.join(" | ", cells));
            }
        }
        assertEquals(List.of(), WRONG);
    }

    /** What comes of a move, with the nodes swept before and after. */
    private static String tried(Person person, String kind, String... options) throws Exception {
        try {
            NODES.beforeEach(null);
            return triedOnClean(person, kind, options);
        } catch (Exception | AssertionError e) {
            WRONG.add(kind + ": " + e.getMessage());
            return "**not done**";
        } finally {
            NODES.afterAll(null);
            NODES.bash(N1, "ipcrm --all"); // which outlive everybody
        }
    }

    private static String triedOnClean(Person person, String kind, String... options)
            throws Exception {
        Kinds.put(NODES);
        if (Kinds.start(person, kind, options).startsWith("none")) {
            return "cannot be had";
        }
        Kinds.assertWorks(person, N1, kind);
        JsonNode checked = person.checked(N1, "job");
        Moved moved = person.migrate(N1, "job");
        if (moved.exit() == 0) {
            try {
                Kinds.assertWorks(person, N2, kind);
            } catch (AssertionError e) {
                WRONG.add(kind + " of " + person.directoryOf("job") + List.of(options) + ": " + e);
                return "**BROKEN**";
            }
            return "carried";
        }
        Kinds.assertWorks(person, N1, kind);
        if (moved.exit() == REFUSED) {
            List<String> checks = checked.path("findings").findValuesAsText("check");
            return "refused by `%s`".formatted(checks.getFirst());
        }
        String first =
                moved.err().lines().filter(line -> line.contains("error:")).findFirst().orElse("");
        String said = first.replaceFirst(".*error: ", "").replaceFirst(";.*", "");
        return "fails, the job runs on: " + said.replaceAll(PIDS, "").strip();
    }

    @AfterAll
    static void writeTable() throws IOException {
        StringBuilder table =
                new StringBuilder(
                        "| kind | root | user, user namespace | user, setuid starter |\n"
                                + "|---|---|---|---|\n");
        ROWS.forEach((kind, cells) ->
                table.append("| %s | %s |%n".formatted(kind, String.join(" | ", cells))));
        Files.writeString(TABLE, table);
    }
}
