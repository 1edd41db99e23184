package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.it.Confusion.Came;
import io.migrator.it.Confusion.Said;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What of a process goes along, tried kind by kind (kinds.pl) as root and as an ordinary user, and
 * whether {@code check} knew. What is not carried has to be refused before the freeze, by what
 * check named; what check passes has to go over. The tables are written to target/support-table.md,
 * for docs/support.md; {@code -Dkinds=REGEX} does those kinds only, {@code -Dways=REGEX} those
 * ways.
 */
@Tag("long") // some ten seconds for each kind and way
class SupportIT {
    private static final int REFUSED = 3;
    private static final Path TABLE = Path.of("target/support-table.md");

    /** The first line of an error, without what is about the case alone. */
    private static final String PIDS =
            "process \\d+ \\(perl\\) |descriptor \\d+|\\[?0x\\p{XDigit}+]?";

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    /** Ends what outlives everybody. */
    private static final String LEFT = "ipcrm --all; rm -f /tmp/it-kind-* /dev/shm/it-kind-*";

    /** Those that have to go over, as root. */
    private static final List<String> GOES =
            """
            POSIX lock in the run directory
            POSIX timer
            POSIX timer for one thread
            POSIX timer of processor time
            TCP connection inside
            TCP connection inside, IPv6
            TCP connection with options
            UDP socket
            UDP socket, IPv6
            asynchronous input and output (AIO)
            batch scheduling
            child and pipes
            child in strict seccomp
            child subreaper
            child that waits for a futex
            child that waits for a lock
            child with a session of its own
            clock that does not go back
            controlling terminal
            death signal of the parent
            deleted file, mapped
            deleted file, open
            descriptor for the path alone
            descriptor under way in a unix socket
            descriptors that share an offset
            directory, open
            epoll
            epoll of a descriptor that was moved
            epoll on an epoll
            eventfd
            fifo in the run directory
            file in /tmp, open
            file in a removed directory
            file mapped privately and written
            file of /proc, its own
            file of /proc/sys
            file that is appended to
            file whose name another has now
            file with a hole
            file with a long path
            five hundred descriptors
            flock in the run directory
            inotify on a shared directory
            interval timer
            lease on a file
            listening TCP socket
            lock of an open file in the run directory
            locked memory
            lowered limits
            mapped file of a shared directory
            mapped file of the run directory
            membarrier
            memory file
            memory file, mapped
            memory file, open in another process
            memory file, sealed
            memory nobody may touch
            memory that a fork empties
            memory that can be executed
            memory that grows downwards
            memory with a guard
            name of its own
            namespace descriptor
            netlink socket
            netlink socket in a group
            niceness
            no new privileges
            null, zero, full and random devices
            pidfd
            pidfd of an ended process
            pipe that is full
            process nobody may look at
            pseudo-terminal of its own
            real-time signals queued
            removed directory, open
            removed fifo
            removed working directory
            seccomp filter
            shared anonymous memory
            shared memory of POSIX
            signal pending
            signal stack of its own
            signal-driven socket
            signalfd
            socket with a filter
            stopped child
            thirty processes, each the child of the one before
            thirty threads
            timerfd
            timerfd of the wall clock
            umask
            unix connection nobody has accepted
            unix datagram pair
            unix datagram socket with a path
            unix seqpacket pair
            unix socket pair
            unix socket pair with data in it
            unix socket pair, half closed
            unix socket whose path was removed
            unix socket with a path
            unix socket, abstract
            working directory
            zero device, mapped
            zombie child
            """
                    .lines()
                    .toList();

    private static final String CARRIED = "carried";

    /** Lost, and check does not name them (docs/support.md, Known limits). */
    private static final Set<String> UNNAMED = Set.of("landlock");

    private static final int LEAST_KINDS = 60;

    private static final Map<String, Map<Way, String>> ROWS = new TreeMap<>();
    private static final Map<Way, Confusion> SEEN = new EnumMap<>(Way.class);
    private static final List<String> WRONG = new ArrayList<>();

    /** How a job is started. */
    private enum Way {
        ROOT("root"),
        USER_NAMESPACE("user, user namespace"),
        SETUID("user, setuid starter");

        private final String text;

        Way(String text) {
            this.text = text;
        }

        Person person() {
            return this == ROOT ? NODES : NODES.as("alice");
        }

        String[] options() {
            return this == USER_NAMESPACE ? new String[] {"--userns"} : new String[0];
        }
    }

    @BeforeAll
    static void putProgram() throws Exception {
        NODES.setUp();
        Kinds.put(NODES);
    }

    @Test
    void everyKind() throws Exception {
        Pattern kinds = Pattern.compile(System.getProperty("kinds", ""));
        Pattern ways = Pattern.compile(System.getProperty("ways", ""));
        for (String kind : NODES.out(N1, "perl", Kinds.PROGRAM).lines().toList()) {
            if (kinds.matcher(kind).find()) {
                Map<Way, String> cells = new EnumMap<>(Way.class);
                ROWS.put(kind, cells);
                for (Way way : Way.values()) {
                    if (ways.matcher(way.text).find()) {
                        cells.put(way, tried(way, kind));
                        System.out.printf("support: %s | %s | %s%n", kind, way, cells.get(way));
                    }
                }
            }
        }
        for (String kind : GOES) {
            String came = ROWS.getOrDefault(kind, Map.of()).getOrDefault(Way.ROOT, CARRIED);
            if (!came.equals(CARRIED)) {
                WRONG.add(kind + " has to go over, and: " + came);
            }
        }
        assertEquals(List.of(), WRONG);
        if (kinds.pattern().isEmpty()) {
            assertTrue(ROWS.keySet().containsAll(GOES), GOES::toString);
            SEEN.forEach((way, seen) -> assertTrue(seen.cases() >= LEAST_KINDS, way.text));
        }
    }

    /** What comes of a move, with the nodes swept before. */
    private static String tried(Way way, String kind) throws Exception {
        try {
            NODES.beforeEach(null);
            return triedOnClean(way, kind);
        } catch (Exception | AssertionError e) {
            WRONG.add(kind + ", " + way.text + ": " + e.getMessage());
            return "**not done**";
        } finally {
            for (String node : TwoNodes.BOTH) {
                NODES.bash(node, LEFT);
            }
        }
    }

    private static String triedOnClean(Way way, String kind) throws Exception {
        Person person = way.person();
        Kinds.put(NODES);
        if (Kinds.start(person, kind, way.options()).startsWith("none")) {
            return "cannot be had";
        }
        Kinds.assertWorks(person, N1, kind);
        JsonNode checked = person.checked(N1, "job");
        Moved moved = person.migrate(N1, "job");
        Came came =
                switch (moved.exit()) {
                    case 0 -> isWhole(person, kind) ? Came.CARRIED : Came.BROKEN;
                    case REFUSED -> Came.REFUSED;
                    default -> Came.FAILED;
                };
        JsonNode findings = checked.path("findings");
        Said goes = findings.isEmpty() ? Said.PASSES : Said.WARNS;
        Said said = checked.path("canGo").asBoolean() ? goes : Said.FORBIDS;
        SEEN.computeIfAbsent(way, _ -> new Confusion()).add(said, came);
        if (!Confusion.isRight(said, came) && !UNNAMED.contains(kind)) {
            WRONG.add(
                    "%s, %s: check says %s, and it is %s; %s%s"
                            .formatted(kind, way.text, said, came, checked, moved.err()));
        }
        if (moved.exit() != 0) {
            Kinds.assertWorks(person, N1, kind);
        }
        return switch (came) {
            case CARRIED -> CARRIED;
            case REFUSED -> "refused by `%s`".formatted(forbids(checked, moved));
            case FAILED -> "fails, the job runs on: " + said(moved);
            case BROKEN -> broken(kind, said, findings);
        };
    }

    private static String broken(String kind, Said said, JsonNode findings) {
        if (said == Said.WARNS) {
            String check = findings.path(0).path("check").asText();
            return "goes, without what `%s` names".formatted(check);
        }
        return UNNAMED.contains(kind) ? "lost, and not named" : "**BROKEN**";
    }

    private static boolean isWhole(Person person, String kind) throws Exception {
        try {
            Kinds.assertWorks(person, N2, kind);
            return true;
        } catch (AssertionError e) {
            System.out.println("support: " + e.getMessage());
            return false;
        }
    }

    /** What check named has to be what migrate refuses. */
    private static String forbids(JsonNode checked, Moved moved) {
        for (JsonNode each : checked.path("findings")) {
            if (each.path("forbids").asBoolean()) {
                String what = each.path("what").asText();
                assertTrue(moved.err().contains(what), () -> what + " is not in " + moved.err());
                return each.path("check").asText();
            }
        }
        return "what check did not name";
    }

    private static String said(Moved moved) {
        String first =
                moved.err().lines().filter(line -> line.contains("error:")).findFirst().orElse("");
        String said = first.replaceFirst(".*error: ", "").replaceFirst(";.*", "");
        return said.replaceAll(PIDS, "").strip();
    }

    @AfterAll
    static void writeTable() throws IOException {
        StringBuilder table =
                new StringBuilder(
                        "| kind | root | user, user namespace | user, setuid starter |\n"
                                + "|---|---|---|---|\n");
        ROWS.forEach((kind, cells) -> {
            table.append("| %s |".formatted(kind));
            for (Way way : Way.values()) {
                table.append(" %s |".formatted(cells.getOrDefault(way, "not tried")));
            }
            table.append("\n");
        });
        SEEN.forEach((way, seen) -> table.append("\n").append(seen.table(way.text)));
        System.out.println(table);
        Files.writeString(TABLE, table);
    }
}
