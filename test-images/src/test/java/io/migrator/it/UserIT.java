package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/**
 * alice moves her own instances without any privilege: they are in user namespaces that she owns.
 */
class UserIT extends OwnInstances {
    private static final int REFUSED = 3;

    UserIT() {
        super("--userns");
    }

    @Test
    void nothingOfItRunsAsRoot() throws Exception {
        alice.startPattern(N1, "job", List.of("--userns"), MEGABYTES);
        for (List<String> seen : whoRuns(() -> alice.migrate(N1, "job").well())) {
            for (String name : List.of("java", "foothold", "appinit")) {
                assertTrue(seen.contains("1000 " + name), () -> "the watch is blind: " + seen);
            }
            assertEquals(List.of(), seen.stream().filter(each -> each.startsWith("0 ")).toList());
        }
        alice.stop(N2, "job");
    }

    /** Their owner is nobody there: root and the group of terminals have no name in it. */
    @Test
    void terminalsGoAlong() throws Exception {
        String file = alice.directoryOf("job") + "/lines";
        String program =
                """
                open M, '+<', '/dev/ptmx'; $z = pack('i', 0);
                syscall(16, fileno(M), 0x40045431, $z);
                syscall(16, fileno(M), 0x80045430, $z);
                open S, '+<', '/dev/pts/' . unpack('i', $z);
                for ($n = 0; ; $n++) {
                    syswrite M, "$n\\n";
                    sysread S, $line, 100;
                    $line eq "$n\\n" or die "$n: $line";
                    open F, '>', '%1$s.new'; print F $n; close F; rename '%1$s.new', '%1$s';
                    select undef, undef, undef, 0.01;
                }
                """
                        .formatted(file);
        alice.start(N1, "job", List.of("--userns"), "perl", "-e", program);
        alice.awaitFile(N1, file);
        for (String from : List.of(N1, N2)) {
            alice.migrate(from, "job").well();
            String node = TwoNodes.other(from);
            int before = Integer.parseInt(alice.bash(node, "cat " + file));
            Thread.sleep(500);
            int after = Integer.parseInt(alice.bash(node, "cat " + file));
            assertTrue(after > before, () -> before + ", then " + after);
        }
        alice.stop(N1, "job");
    }

    /** What needs rights over the node is found before anything is frozen, by its name. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "seccomp: $f = pack('SCCL', 6, 0, 0, 0x7fff0000);"
                        + " syscall(157, 38, 1, 0, 0, 0); syscall(157, 22, 2, pack('Sx6P', 1, $f))",
                "connections: use IO::Socket::INET;"
                        + " $a = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');"
                        + " $b = IO::Socket::INET->new(PeerAddr => '127.0.0.1',"
                        + " PeerPort => $a->sockport); $c = $a->accept",
                "inotify: syscall(253)",
                "deleted-mapping: open F, '+>', '/tmp/it-mapped'; truncate F, 4096;"
                        + " syscall(9, 0, 4096, 3, 1, fileno(F), 0); unlink '/tmp/it-mapped';"
                        + " close F",
                "memfd-mapping: $x = 'x'; $f = syscall(319, $x, 0); syscall(77, $f, 4096);"
                        + " syscall(9, 0, 4096, 3, 1, $f, 0); fork or syscall(3, $f)",
                "system-v: $i = syscall(29, 0, 4096, 0x380); syscall(30, $i, 0, 0);"
                        + " syscall(31, $i, 0, 0)",
            })
    void whatItCannotTakeIsRefused(String what) throws Exception {
        String check = what.substring(0, what.indexOf(':'));
        String program = what.substring(what.indexOf(':') + 2);
        String ready = alice.directoryOf("job") + "/ready";
        alice.start(
                N1,
                "job",
                List.of("--userns"),
                "perl",
                "-e",
                program + "; open R, '>', '" + ready + "'; print R 'x'; close R; sleep 1000");
        alice.awaitFile(N1, ready);
        Snapshot before = NODES.snapshot(N1);
        JsonNode checked = alice.checked(N1, "job");
        assertTrue(
                checked.path("findings").findValuesAsText("check").contains(check),
                checked::toString);
        Moved moved = alice.migrate(N1, "job");
        moved.refused(REFUSED);
        assertFalse(moved.err().contains("criu's dump"), moved.err());
        NODES.assertAs(N1, before);
        NODES.assertAsBefore(N2);
    }
}
