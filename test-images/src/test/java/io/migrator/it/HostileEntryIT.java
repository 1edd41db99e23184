package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.fault.FaultPoint;
import io.migrator.linux.Command;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * What users may say to the root entry, whatever program they say it with (entry.py): alice, who
 * owns the instance, and bob, who does not.
 */
class HostileEntryIT {
    private static final String CLIENT = "/shared/it/entry.py";
    private static final String IMAGES = "/tmp/it-images";
    private static final String NONE = "0000000000000000";
    private static final int SUDO_ERROR = 1;

    /** Tells who loads it, by the id that he has outside of a user namespace of his own. */
    private static final String PRELOAD =
            """
            #include <stdio.h>
            #include <unistd.h>
            __attribute__((constructor)) static void tell(void)
            {
                FILE *map = fopen("/proc/self/uid_map", "r"), *out = fopen("/tmp/it-trap", "a");
                unsigned inside, outside;

                if (map && out && fscanf(map, "%u %u", &inside, &outside) == 2)
                    fprintf(out, "%u preload\\n", geteuid() - inside + outside);
                if (map)
                    fclose(map);
                if (out)
                    fclose(out);
            }
            """;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private final Person alice = NODES.as("alice");
    private final Person bob = NODES.as("bob");

    @BeforeAll
    static void install() throws Exception {
        NODES.setUp();
        NODES.bash(N1, "mkdir -p -m 1777 /shared/it");
        try (InputStream client = HostileEntryIT.class.getResourceAsStream("/entry.py")) {
            Files.write(NODES.shared().resolve("it/entry.py"), client.readAllBytes());
        }
    }

    @BeforeEach
    void start() throws Exception {
        NODES.bash(N1, "rm -rf /tmp/it-*");
        alice.startPattern(N1, "job", 8);
        alice.bash(N1, "mkdir -m 700 " + IMAGES);
    }

    private static Command.Result says(Person who, String... words) throws Exception {
        String[] all = new String[words.length + 2];
        all[0] = "python3";
        all[1] = CLIENT;
        System.arraycopy(words, 0, all, 2, words.length);
        return who.run(N1, all);
    }

    private static void refused(Command.Result result, String because) {
        assertTrue(result.out().contains("foothold ended with 125"), result::toString);
        assertTrue(result.err().contains(because), result::toString);
    }

    private static String bundle() throws Exception {
        return NODES.bash(N1, "ls -td /var/lib/migrator/criu-???????????????? | head -n 1");
    }

    private static String born(String pid) throws Exception {
        return NODES.bash(N1, "sed 's/.*) //' /proc/%s/stat | cut -d' ' -f20".formatted(pid));
    }

    private static String entry(String images, String pid, String born) throws Exception {
        return "sudo -n /var/lib/migrator/foothold -d -i %s -b %s -t %s -s %s </dev/null"
                .formatted(images, bundle(), pid, born);
    }

    @Test
    void anothersInstance() throws Exception {
        bob.bash(N1, "mkdir -m 700 /tmp/it-bob");
        String pid = NODES.out(N1, "pgrep", "-x", "appinit");
        Command.Result result = bob.run(N1, "bash", "-c", entry("/tmp/it-bob", pid, born(pid)));
        String because = "the instance belongs to uid 1000, the caller is uid 1001";
        assertTrue(result.err().contains(because), result::toString);
        alice.verify(N1, "job");
    }

    /** Who calls is what sudo says, whatever else says otherwise. */
    @Test
    void anothersName() throws Exception {
        String entry = "/var/lib/migrator/foothold -t 1 -s 1 -i / -b /";
        Command.Result result = bob.run(N1, "bash", "-c", "sudo -n SUDO_UID=1000 " + entry);
        assertEquals(SUDO_ERROR, result.exit(), result::toString);
        Command.Result plain = bob.run(N1, "bash", "-c", "SUDO_UID=1000 sudo -n /usr/bin/id");
        assertEquals(SUDO_ERROR, plain.exit(), plain::toString);
    }

    /** What the caller names is opened with his rights, or is root's own. */
    @Test
    void arguments() {
        String all =
                """
                -i /root -b BUNDLE -d, /root: Permission denied
                -i /tmp/it-link -b BUNDLE -d, Not a directory
                -i /tmp -b BUNDLE -d, must belong to the caller
                -i IMAGES -b /tmp/it-images -d, is not in /var/lib/migrator/
                -i IMAGES -b /var/lib/migrator/../../../tmp -d, is not in /var/lib/migrator/
                -i IMAGES -b /var/lib/migrator/.. -d, is not in /var/lib/migrator/
                -i IMAGES -b /var/lib/migrator/foothold -d, is not in /var/lib/migrator/
                -i IMAGES -b /var/lib/migrator/criu-half -d, must belong to root
                -i IMAGES -b BUNDLE -o /etc/shadow, /etc/shadow: Permission denied
                -i IMAGES -b BUNDLE -e /etc/passwd, /etc/passwd: Permission denied
                -i IMAGES -b BUNDLE -o /tmp/it-link, Too many levels of symbolic links
                -i IMAGES -b BUNDLE -x 2097152, usage
                -i IMAGES -b BUNDLE -d -x 2, usage
                -i IMAGES -b BUNDLE -d -x 4294967296, not a number up to
                -i IMAGES -b BUNDLE -l -1, not a number up to
                -i IMAGES -b BUNDLE -n 999999, the time namespace
                -i IMAGES -b BUNDLE -n 1, the time namespace
                """;
        assertAll(
                all.lines()
                        .map(line -> line.split(", "))
                        .map(words -> () -> arguments(words[0], words[1])));
    }

    private void arguments(String words, String because) throws Exception {
        alice.bash(N1, "ln -sfn /root /tmp/it-link");
        NODES.bash(N1, "mkdir -p -m 700 /var/lib/migrator/criu-half"); // as one that is being made
        String line = words.replace("BUNDLE", bundle()).replace("IMAGES", IMAGES);
        refused(says(alice, ("alice/job args " + line).split(" ")), because);
        alice.verify(N1, "job");
    }

    /** A process that is not the instance's first, and one whose pid is in use again. */
    @Test
    void anotherProcess() throws Exception {
        String pid = String.valueOf(alice.payload(N1, "job"));
        Command.Result payload = alice.run(N1, "bash", "-c", entry(IMAGES, pid, born(pid)));
        assertTrue(payload.err().contains("is not pid 1 of a pid namespace"), payload::toString);
        Command.Result later = alice.run(N1, "bash", "-c", entry(IMAGES, pid, "1"));
        assertTrue(later.err().contains("is another process by now"), later::toString);
    }

    /** Libraries of criu's read files of the image as they are loaded: by then it is bound. */
    @Test
    void theShimComesFirst() throws Exception {
        String first =
                alice.bash(
                        N1,
                        "cd %s && LD_DEBUG=files lib/ld.so --library-path lib".formatted(bundle())
                                + " --preload lib/libgcc_s.so.1:lib/criushim.so ./criu --version"
                                + " 2>&1 | grep -m 1 'calling init'");
        assertTrue(first.endsWith("criushim.so"), first);
    }

    /** What is pid 1 need not be Apptainer's. */
    @Test
    void aFirstProcessOfHerOwn() throws Exception {
        alice.bash(
                N1,
                "(apptainer -q exec --pid --no-init %s sleep 1004 </dev/null >/dev/null 2>&1 &)"
                        .formatted(TwoNodes.IMAGE));
        NODES.bash(N1, "until pgrep -f '^/usr/bin/sleep 1004'; do sleep 0.05; done");
        String pid = NODES.out(N1, "pgrep", "-f", "^/usr/bin/sleep 1004");
        Command.Result own = alice.run(N1, "bash", "-c", entry(IMAGES, pid, born(pid)));
        NODES.bash(N1, "kill -KILL " + pid);
        assertTrue(own.err().contains("not one of apptainer's setuid starter"), own::toString);
    }

    /**
     * What is neither a message nor a signal for criu ends the entry: a write into a process's
     * memory, which it knew once, a signal of no and of five bytes, a packet longer than any, and
     * what answers say.
     */
    @Test
    void packets() {
        List<String> all =
                List.of(
                        "57000000 18000000 010000000000000000000100000000000000000000000000",
                        "4b000000 00000000",
                        "4b000000 05000000 0900000000",
                        "4d000000 ffffffff",
                        "58000000 04000000 00000000");
        assertAll(all.stream().map(hex -> () -> packet(hex)));
    }

    private void packet(String hex) throws Exception {
        Command.Result result = says(alice, "alice/job", "raw", IMAGES, hex.replace(" ", ""));
        String all = "entry said P\nentry said X\nfoothold ended with 0\n";
        assertEquals(all, result.out(), result::toString);
        alice.verify(N1, "job");
    }

    @Test
    void capabilitiesThatRootDidNotAllow() throws Exception {
        NODES.bash(N1, "migrator setup >/dev/null");
        String[] words = {"alice/job", "args", "-i", IMAGES, "-b", bundle(), "-d", "-x", "4"};
        Command.Result watches = says(alice, words);
        words[8] = "2097152";
        Command.Result filtered = says(alice, words);
        NODES.setUp();
        refused(watches, "inotify is not allowed here");
        refused(filtered, "seccomp is not allowed here");
    }

    @Test
    void whereNoRootIsNeeded() throws Exception {
        alice.start(N1, "own", List.of("--userns"), "sleep", "1000");
        String[] words = {"alice/own", "args", "-i", IMAGES, "-b", bundle(), "-d"};
        refused(says(alice, words), "the instance has a user namespace");
    }

    /**
     * Requests that would let criu run or load something, or go elsewhere (criu's rpc.proto): a
     * restore where a dump was started, a command to run, a configuration file, a directory of
     * plugins' images, another images directory, a second one, external mounts, and no protobuf.
     */
    @Test
    void requests() {
        List<String> all =
                List.of(
                        "0802",
                        "0801 1204 d2020178",
                        "0801 1205 f203022f78",
                        "0801 1208 0a0178",
                        "0801 120b a20408 2f70726f632f78",
                        "0801 1214 a2040f 2f70726f632f73656c662f66642f37 1203616263",
                        "0801 1209 aa02066d6e745b5d3a6d",
                        "0809",
                        "0801 1801 2001",
                        "0b",
                        "ff");
        assertAll(all.stream().map(hex -> () -> request(hex)));
    }

    private void request(String hex) throws Exception {
        Command.Result result = says(alice, "alice/job", "ask", IMAGES, hex.replace(" ", ""));
        assertTrue(result.err().contains("may not be asked that"), result::toString);
        assertFalse(result.out().contains("criu said"), result::toString);
        alice.verify(N1, "job");
    }

    /**
     * Images may say what they will: the kernel lets criu give a process no other user or group and
     * no capability that criu has not, and what it may keep gains nothing by running a program.
     */
    @Test
    void forgedImages() throws Exception {
        String pid = alice.bash(N1, "awk '/^NSpid/ { print $3 }' /proc/$(pgrep -x pattern)/status");
        Command.Result dumped = says(alice, "alice/job", "dump", IMAGES, pid);
        assertTrue(dumped.out().contains("held at post-dump"), dumped::toString);
        alice.run(N1, "apptainer", "-q", "instance", "stop", "job"); // its files stay

        String own = restored(pid, "13=0");
        assertTrue(own.contains("held at pre-resume"), own);
        assertTrue(own.contains("'CapPrm': ['" + NONE + "']"), own);
        assertTrue(own.contains("'NoNewPrivs': ['1']"), own);
        for (String forged :
                List.of("1=0 3=0 5=0 7=0", "2=0 4=0 6=0 8=0", "14=0,1000", "10=128,0 11=128,0")) {
            String said = restored(pid, forged);
            assertTrue(said.contains("criu said no"), () -> forged + ": " + said);
            assertFalse(said.contains("held at"), () -> forged + ": " + said);
        }
        String most = restored(pid, "10=256,256 11=256,256 12=4294967295,511 18=0");
        assertTrue(most.contains("'CapPrm': ['0000010000000100']"), most);
        assertTrue(most.contains("'CapBnd': ['0000010000000100']"), most);
        assertTrue(most.contains("'NoNewPrivs': ['1']"), most);
    }

    /** What a restore by hand, of images whose credentials were changed, comes to. */
    private String restored(String pid, String change) throws Exception {
        String forged = IMAGES + "-forged";
        alice.bash(
                N1,
                "rm -rf %1$s && cp -r %2$s %1$s && python3 %3$s forge %1$s/core-%4$s.img %5$s"
                        .formatted(forged, IMAGES, CLIENT, pid, change));
        String options = "--bind /shared " + TwoNodes.IMAGE;
        alice.bash(N1, "apptainer -q instance start %s forged 2>&1".formatted(options));
        Command.Result result = says(alice, "alice/forged", "restore", forged, pid);
        alice.run(N1, "apptainer", "-q", "instance", "stop", "forged");
        String log = alice.run(N1, "grep", "Error", forged + "/restore.log").out();
        return result.out() + result.err() + log;
    }

    /** Not even the owner may look into what has more rights than she has. */
    @Test
    void theRunningEntryIsClosed() throws Exception {
        FaultBlow hold = new FaultBlow(NODES, FaultPoint.SOURCE_HELD);
        hold.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> alice.migrate(N1, "job"));
        hold.await(moving);
        for (String name : List.of("foothold", "ld.so")) {
            for (String file : List.of("mem", "maps", "fd/0", "environ")) {
                String path = "/proc/$(pgrep -o -x %s)/%s".formatted(name, file);
                Command.Result look =
                        alice.run(N1, "bash", "-c", "ls %1$s/ || cat <%1$s".formatted(path));
                assertTrue(look.exit() != 0, () -> path + ": " + look);
                assertTrue(look.err().contains("ermission denied"), () -> path + ": " + look);
            }
        }
        hold.release();
        moving.get(60, TimeUnit.SECONDS).well();
        hold.heal();
    }

    /** Her own programs, settings and libraries change what she starts, and nothing else. */
    @Test
    void herEnvironment() throws Exception {
        alice.bash(
                N1,
                """
                mkdir -p /tmp/it-bin ~/.criu
                for name in criu foothold iptables ld.so sh; do
                    printf '#!/bin/sh\\necho $(id -u) $0 $PPID $(tr "\\0" " " </proc/$PPID/cmdline) >>/tmp/it-trap\\n' >/tmp/it-bin/$name
                    chmod 755 /tmp/it-bin/$name
                done
                echo 'action-script /tmp/it-bin/sh' >~/.criu/default.conf
                cp ~/.criu/default.conf /tmp/it-criu.conf
                """);
        Path source = NODES.shared().resolve("it/preload.c");
        Files.writeString(source, PRELOAD);
        Command.of(
                        "gcc",
                        "-shared",
                        "-fPIC",
                        "-o",
                        source.resolveSibling("preload.so").toString(),
                        source.toString())
                .run(Duration.ofSeconds(20))
                .orFail("the library does not compile");
        Command.Result moved =
                alice.run(
                        N1,
                        "env",
                        "PATH=/tmp/it-bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin",
                        "CRIU_CONFIG_FILE=/tmp/it-criu.conf",
                        "LD_LIBRARY_PATH=/tmp/it-bin",
                        "LD_PRELOAD=/shared/it/preload.so",
                        "BASH_ENV=/tmp/it-bin/sh",
                        "ENV=/tmp/it-bin/sh",
                        "/bin/bash",
                        "-p",
                        "/usr/local/bin/migrator",
                        "migrate",
                        "job",
                        "--to",
                        "n2");
        assertEquals(0, moved.exit(), moved::toString);
        String trapped = NODES.bash(N1, "cat /tmp/it-trap 2>/dev/null || true");
        assertFalse(trapped.lines().anyMatch(line -> line.startsWith("0 ")), trapped);
        assertTrue(trapped.contains("1000 preload"), () -> "nothing was preloaded: " + trapped);
        NODES.bash(N1, "rm -rf /home/alice/.criu");
        alice.verify(TwoNodes.N2, "job");
    }
}
