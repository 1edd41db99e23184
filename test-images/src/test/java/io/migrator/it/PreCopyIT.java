package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.fault.FaultPoint;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Memory that travels while the job runs: every page is right, and the job is left alone. */
class PreCopyIT {
    private static final long MEGA = 1 << 20;
    private static final int REFUSED = 3;

    /**
     * Threads that fill, check, copy, grow and drop blocks of memory, and children that are forked
     * meanwhile; the report counts wrong blocks.
     */
    private static final String CHURN =
            """
            import hashlib, json, os, random, signal, sys, threading
            wrong = done = 0
            lock = threading.Lock()
            def work(seed):
                global wrong, done
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2}) # else pause() does not end
                rng = random.Random(seed)
                blocks = {}
                while True:
                    key = rng.randrange(24)
                    if key in blocks:
                        data, digest = blocks[key]
                        good = hashlib.sha256(data).digest() == digest
                        with lock:
                            wrong += not good
                            done += 1
                    size = rng.choice((3000, 70000, 300000, 1000000))
                    data = bytearray(rng.randbytes(1000) * (size // 1000))
                    data[rng.randrange(len(data))] ^= 1
                    blocks[key] = (data, hashlib.sha256(data).digest())
                    if rng.randrange(8) == 0:
                        blocks.pop(rng.choice(list(blocks)))
                    if seed == 0 and rng.randrange(50) == 0 and os.fork() == 0:
                        data[0] ^= 1
                        os._exit(0)
            def report(*_):
                with open(sys.argv[1] + '~', 'w') as out:
                    text = json.dumps({'seq': report.seq, 'wrong': wrong, 'done': done}, separators=(',', ':'))
                    out.write(text)
                os.rename(sys.argv[1] + '~', sys.argv[1])
                report.seq += 1
            report.seq = 1
            signal.signal(signal.SIGUSR2, report)
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            for seed in range(3):
                threading.Thread(target=work, args=(seed,), daemon=True).start()
            report()
            while True:
                signal.pause()
            """;

    /** Reads past the cache, again and again, into some of 16 MB; the report counts wrong MBs. */
    private static final String DIRECT =
            """
            import hashlib, os, random, signal, sys, time
            MEGA = 1 << 20
            path = '/shared/images/base.sif'
            fd, plain = os.open(path, os.O_RDONLY | os.O_DIRECT), os.open(path, os.O_RDONLY)
            megas = os.fstat(fd).st_size // MEGA
            def aligned(all): # as a device wants it, which refuses all else
                for start in range(0, 4096, 16):
                    try:
                        os.preadv(fd, [all[start:start + 4096]], 0)
                        return all[start:start + 16 * MEGA]
                    except OSError:
                        pass
            memory = aligned(memoryview(bytearray(17 * MEGA)))
            wanted = {}
            def digest(data):
                return hashlib.sha256(data).digest()
            def fill(place):
                source = random.randrange(megas) * MEGA
                assert os.preadv(fd, [memory[place * MEGA:(place + 1) * MEGA]], source) == MEGA
                wanted[place] = digest(os.pread(plain, MEGA, source))
            def report():
                wrong = sum(digest(memory[p * MEGA:(p + 1) * MEGA]) != wanted[p] for p in wanted)
                with open(sys.argv[1] + '~', 'w') as out:
                    out.write('{"seq":%d,"wrong":%d}' % (report.seq, wrong))
                os.rename(sys.argv[1] + '~', sys.argv[1])
                report.seq += 1
            report.seq = 1
            asked = []
            signal.signal(signal.SIGUSR2, lambda *_: asked.append(1))
            for place in range(16):
                fill(place)
            report()
            while True:
                fill(random.randrange(4))
                time.sleep(0.002)
                if asked:
                    asked.clear()
                    report()
            """;

    /**
     * Is not let make a userfaultfd, looks at 30 MB; perl, as python has no calls of the kernel.
     */
    private static final String SANDBOX =
            """
            use POSIX;
            my $file = shift;
            my $filter = pack 'SCCL' x 4, 0x20, 0, 0, 0, 0x15, 0, 1, 323, 6, 0, 0, 0x50001, 6, 0, 0, 0x7fff0000;
            my $program = pack 'Sx6P', 4, $filter;
            syscall(157, 22, 2, $program) == 0 or die "seccomp: $!";
            my $memory = join '', map { pack('N', $_) x 1024 } 1 .. 7680;
            my $set = POSIX::SigSet->new(SIGUSR2);
            $SIG{USR2} = sub {};
            sigprocmask(SIG_BLOCK, $set);
            for (my $seq = 1;; $seq++) {
                my $denied = syscall(323, 1) == -1 && $! == 1;
                my $wrong = grep { substr($memory, 4096 * ($_ - 1), 4096) ne pack('N', $_) x 1024 } 1 .. 7680;
                open my $out, '>', "$file~" or die $!;
                printf $out '{"seq":%d,"wrong":%d,"denied":%d}', $seq, $wrong, $denied;
                close $out;
                rename "$file~", $file;
                sigsuspend(POSIX::SigSet->new);
            }
            """;

    /** What comes to the node from here on has so much memory in all; the kernel is the host's. */
    private static final String TIGHTEN =
            """
            mkdir -p /run/memory && mount -t cgroup -o memory none /run/memory && mkdir /run/memory/it-tight &&
            cd /run/memory/it-tight && echo 1250M >memory.limit_in_bytes && pgrep -o -x sshd >cgroup.procs
            """;

    private static final String LOOSEN =
            """
            cd /run/memory || exit
            xargs -n 1 <it-tight/cgroup.procs sh -c 'echo $0 >cgroup.procs'
            rmdir it-tight && cd / && umount /run/memory && rmdir /run/memory
            """;

    /** Of a job's memory what the rounds carry at least, or what children have of their parents. */
    private static final double MOST = 0.9;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private static JsonNode assertPreCopied(Moved moved) {
        assertEquals(0, moved.exit(), moved.err());
        assertEquals("precopy", moved.json().path("memory").asText(), moved.err());
        long carried = moved.json().path("inheritedBytes").asLong();
        for (JsonNode round : moved.json().path("rounds")) {
            carried += round.path("bytes").asLong();
        }
        long all = moved.json().path("memoryBytes").asLong();
        assertTrue(carried >= MOST * all, moved.json()::toString);
        return moved.json();
    }

    private static void assertUnwatched(String node, String name) throws Exception {
        assertEquals(0, watchedMappings(node, name), "mappings are still write-protected");
    }

    private static int watchedMappings(String node, String name) throws Exception {
        String line = "grep -c '^VmFlags:.* uw' /proc/%d/smaps || true";
        return Integer.parseInt(NODES.bash(node, line.formatted(NODES.payload(node, name))));
    }

    @Tag("long")
    @ParameterizedTest
    @CsvSource("--rate 20 --processes 8 --threads 2, protect")
    void everyPageOfMoreIsRight(String options, String track) throws Exception {
        everyPageIsRightThereAndBack(options, track);
    }

    /** What was copied first is not copied again, and the last round is small. */
    @ParameterizedTest
    @CsvSource({"--rate 20 --threads 16, auto", "--rate 20 --processes 2, hash"})
    void everyPageIsRightThereAndBack(String options, String track) throws Exception {
        NODES.startPattern(N1, "job", 100, options.split(" "));
        for (String from : List.of(N1, N2)) {
            JsonNode moved =
                    assertPreCopied(
                            NODES.migrate(from, "job", "--memory", "precopy", "--track", track));
            NODES.verify(TwoNodes.other(from), "job");
            JsonNode rounds = moved.path("rounds");
            assertTrue(rounds.get(0).path("bytes").asLong() >= 100 * MEGA, rounds::toString);
            long last = rounds.get(rounds.size() - 1).path("bytes").asLong();
            assertTrue(last < 50 * MEGA, rounds::toString);
            assertUnwatched(TwoNodes.other(from), "job");
        }
        NODES.stop(N1, "job");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    /** Its pages do not shrink, so what goes over the wire is what is said of the rounds. */
    @Test
    void noMoreThanTheBandwidth() throws Exception {
        NODES.startPattern(N1, "job", 64);
        JsonNode moved = assertPreCopied(NODES.migrate(N1, "job", "--bandwidth", "160Mbit"));
        NODES.verify(N2, "job");
        JsonNode first = moved.path("rounds").get(0);
        double rate = first.path("bytes").asDouble() / first.path("millis").asDouble() / 1000;
        System.out.printf("20 MB/s were allowed, %.2f were taken%n", rate);
        assertTrue(rate < 1.05 * 20, moved::toString);
    }

    @Test
    void hugePagesStayHuge() throws Exception {
        NODES.startPattern(N1, "job", 64, "--thp");
        long before = NODES.hugeKilobytes(N1, "job");
        Assumptions.assumeTrue(before > 0, "this kernel gives no huge pages: enabled is 'never'");
        assertPreCopied(NODES.migrate(N1, "job", "--memory", "precopy"));
        NODES.verify(N2, "job");
        long after = NODES.hugeKilobytes(N2, "job");
        assertTrue(after >= 0.9 * before, after + " kB of " + before);
    }

    @Test
    void whatWritesTooFastStaysIfAsked() throws Exception {
        NODES.startPattern(N1, "job", 48, "--rate", "60");
        Snapshot withJob = NODES.snapshot(N1);
        NODES.link(N1, "rate", "200mbit");
        Moved moved = NODES.migrate(N1, "job", "--too-fast", "stay", "--downtime", "200ms");
        NODES.link(N1, "rate", "none");
        moved.failedWithJobOn(N1);
        assertTrue(moved.err().contains("writes its memory too fast: after "), moved.err());
        assertTrue(moved.err().contains("--downtime allows 200"), moved.err());
        NODES.verify(N1, "job");
        assertUnwatched(N1, "job");
        NODES.assertAs(N1, withJob);
        NODES.assertAsBefore(N2);
        assertPreCopied(NODES.migrate(N1, "job", "--too-fast", "stay", "--downtime", "1s"));
        NODES.verify(N2, "job");
        NODES.stop(N2, "job");
    }

    /** Protecting pages splits those that are written. */
    @Test
    void hugePagesAreHugeAgainWhereTheJobStays() throws Exception {
        NODES.startPattern(N1, "job", 64, "--thp", "--rate", "50");
        long before = NODES.hugeKilobytes(N1, "job");
        Assumptions.assumeTrue(before > 0, "this kernel gives no huge pages: enabled is 'never'");
        assertPreCopied(NODES.rehearse(N1, "job"));
        long after = NODES.hugeKilobytes(N1, "job");
        assertTrue(after >= 0.9 * before, after + " kB of " + before);
        NODES.verify(N1, "job");
    }

    @ParameterizedTest
    @ValueSource(strings = {"root", "alice"})
    void mappingsThatAreSpecialOrInherited(String who) throws Exception {
        Person person = who.equals("root") ? NODES : NODES.as(who);
        List<String> options = who.equals("root") ? List.of() : List.of("--userns");
        String file = person.reportOf("kinds");
        person.start(N1, "kinds", options, "/shared/bin/heir", file);
        person.awaitFile(N1, file);
        for (String from : List.of(N1, N2)) {
            Moved moved = person.migrate(from, "kinds", "--memory", "precopy");
            assertPreCopied(moved);
            JsonNode report = person.report(TwoNodes.other(from), "kinds", "USR2");
            assertEquals(0, report.path("wrong").asInt(), report::toString);
            assertEquals(0, report.path("child").asInt(), report::toString);
        }
        person.stop(N1, "kinds");
    }

    /** Neither node needs more than before, and what is shared goes once. */
    @ParameterizedTest
    @CsvSource({"alice, auto", "root, stop"})
    void whatIsSharedStaysShared(String who, String way) throws Exception {
        goesAndStaysShared(who, way);
    }

    @Tag("long")
    @Test
    void whatIsSharedOfRootStaysShared() throws Exception {
        goesAndStaysShared("root", "auto");
    }

    private static void goesAndStaysShared(String who, String way) throws Exception {
        Person person = who.equals("root") ? NODES : NODES.as(who);
        List<String> options = who.equals("root") ? List.of() : List.of("--userns");
        String file = person.reportOf("brood");
        String[] brood = {"/shared/bin/brood", "--mb", "40", "--children", "3", "--report", file};
        person.start(N1, "brood", options, brood);
        person.awaitFile(N1, file);
        long before = sharesOf(N1);
        for (String from : List.of(N1, N2)) {
            Moved moved = person.migrate(from, "brood", "--memory", way);
            assertEquals(0, moved.exit(), moved.err());
            long after = sharesOf(TwoNodes.other(from));
            assertTrue(after <= 1.1 * before, after + " kB of " + before);
            JsonNode report = person.report(TwoNodes.other(from), "brood", "USR2");
            assertEquals(0, report.path("bad").asInt(), report::toString);
            JsonNode rounds = moved.json().path("rounds");
            assertTrue(rounds.path(0).path("bytes").asLong() < 60 * MEGA, rounds::toString);
        }
        person.stop(N1, "brood");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    /**
     * Reading it must not make it its own (smaps_rollup, proc(5): a part of what is shared each).
     */
    @Test
    void whatIsSharedStaysSharedHereWhileItIsCopied() throws Exception {
        String file = NODES.reportOf("brood");
        String[] brood = {"/shared/bin/brood", "--mb", "40", "--children", "3", "--report", file};
        NODES.start(N1, "brood", List.of(), brood);
        NODES.awaitFile(N1, file);
        long before = sharesOf(N1);
        for (String track : List.of("protect", "hash")) {
            Moved moved = NODES.rehearse(N1, "brood", "--memory", "precopy", "--track", track);
            assertPreCopied(moved);
            boolean kept = moved.json().path("inheritedBytes").asLong() > 100 * MEGA;
            assertEquals(track.equals("protect"), kept, moved.json()::toString);
            long after = sharesOf(N1);
            assertTrue(after <= 1.1 * before, track + ": " + after + " kB of " + before);
        }
        NODES.stop(N1, "brood");
    }

    private static long sharesOf(String node) throws Exception {
        String line =
                "for p in $(pgrep -x brood); do cat /proc/$p/smaps_rollup; done |"
                        + " awk '/^Pss_Anon/ { all += $2 } END { print all }'";
        return Long.parseLong(NODES.bash(node, line));
    }

    @Test
    void memoryThatIsMappedAndForkedMeanwhile() throws Exception {
        churn(NODES);
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    @Tag("long")
    @Test
    void anOrdinaryUsers() throws Exception {
        Person alice = NODES.as("alice");
        churn(alice, "--userns");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    private static void churn(Person person, String... options) throws Exception {
        person.start(
                N1, "churn", List.of(options), "python3", "-c", CHURN, person.reportOf("churn"));
        person.awaitFile(N1, person.reportOf("churn"));
        long done = 0;
        for (String from : List.of(N1, N2)) {
            assertPreCopied(person.migrate(from, "churn", "--memory", "precopy"));
            JsonNode report = person.report(TwoNodes.other(from), "churn", "USR2");
            assertEquals(0, report.path("wrong").asInt(), report::toString);
            assertTrue(report.path("done").asLong() > done, report::toString);
            done = report.path("done").asLong();
        }
        person.stop(N1, "churn");
    }

    /** Its collector (G1) moves what is alive, and gives back what is not. */
    @Test
    void aJvm() throws Exception {
        byte[] code;
        try (InputStream in = JvmJob.class.getResourceAsStream("JvmJob.class")) {
            code = in.readAllBytes();
        }
        String file = "/shared/jvm/io/migrator/it/JvmJob.class";
        NODES.bash(
                N1,
                "mkdir -p %s; echo %s | base64 -d >%s"
                        .formatted(
                                file.substring(0, file.lastIndexOf('/')),
                                Base64.getEncoder().encodeToString(code),
                                file));
        String report = NODES.reportOf("jvm");
        List<String> java =
                List.of("/opt/migrator/current/runtime/bin/java", "-XX:+UseG1GC", "-Xmx256m");
        List<String> words = new ArrayList<>(java);
        words.addAll(List.of("-XX:-UsePerfData", "-cp", "/shared/jvm", "io.migrator.it.JvmJob"));
        words.add(report);
        NODES.start(
                N1,
                "jvm",
                List.of("--bind", "/opt/migrator:/opt/migrator"),
                words.toArray(String[]::new));
        NODES.awaitFile(N1, report);
        for (String from : List.of(N1, N2)) {
            Thread.sleep(1000);
            assertPreCopied(NODES.migrate(from, "jvm", "--memory", "precopy"));
            JsonNode before = NODES.reported(TwoNodes.other(from), report);
            Thread.sleep(1000);
            JsonNode after = NODES.reported(TwoNodes.other(from), report);
            assertEquals(0, after.path("wrong").asLong(), after::toString);
            assertTrue(after.path("done").asLong() > before.path("done").asLong(), after::toString);
        }
        NODES.stop(N1, "jvm");
        NODES.bash(N1, "rm -r /shared/jvm");
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    @Tag("long")
    @Test
    void aRehearsalLeavesItUnwatched() throws Exception {
        NODES.startPattern(N1, "job", 50, "--rate", "20");
        assertPreCopied(NODES.rehearse(N1, "job"));
        assertUnwatched(N1, "job");
        NODES.verify(N1, "job");
    }

    /** The kernel ends the watch with the process that had it. */
    @Test
    void aKilledMigratorLeavesItUnwatched() throws Exception {
        NODES.startPattern(N1, "job", 50, "--rate", "20");
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_COPYING);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> NODES.migrate(N1, "job"));
        blow.await(moving);
        assertTrue(watchedMappings(N1, "job") > 0, "not watched");
        blow.strike(Fault.SOURCE_JVM);
        moving.get(60, TimeUnit.SECONDS);
        blow.heal();
        assertUnwatched(N1, "job");
        NODES.verify(N1, "job");
    }

    /** Its reads are a device's writes, which no write protection sees. */
    @Test
    void whatADeviceWritesIsCompared() throws Exception {
        String report = NODES.reportOf("direct");
        NODES.start(N1, "direct", List.of(), "python3", "-c", DIRECT, report);
        NODES.awaitFile(N1, report);
        Moved refused = NODES.migrate(N1, "direct", "--memory", "precopy", "--track", "protect");
        refused.refused(REFUSED);
        assertTrue(refused.err().contains("base.sif (O_DIRECT)"), refused.err());
        assertTrue(refused.err().contains("--track hash"), refused.err());
        for (String from : List.of(N1, N2)) {
            Moved moved = NODES.migrate(from, "direct");
            JsonNode rounds = assertPreCopied(moved).path("rounds");
            assertTrue(moved.err().contains("compared page by page"), moved.err());
            assertTrue(rounds.get(0).path("bytes").asLong() >= 16 * MEGA, rounds::toString);
            JsonNode seen = NODES.report(TwoNodes.other(from), "direct", "USR2");
            assertEquals(0, seen.path("wrong").asInt(), seen::toString);
        }
        NODES.stop(N1, "direct");
    }

    /** Root's criu may switch its filter off for the call, and only for that. */
    @Test
    void aSandboxThatDeniesUserfaultfd() throws Exception {
        String report = NODES.reportOf("sandbox");
        NODES.start(N1, "sandbox", List.of(), "perl", "-e", SANDBOX, report);
        NODES.awaitFile(N1, report);
        JsonNode rounds = assertPreCopied(NODES.migrate(N1, "sandbox")).path("rounds");
        assertTrue(rounds.get(0).path("bytes").asLong() >= 30 * MEGA, rounds::toString);
        JsonNode seen = NODES.report(N2, "sandbox", "USR2");
        assertEquals(0, seen.path("wrong").asInt(), seen::toString);
        assertEquals(1, seen.path("denied").asInt(), seen::toString);
        NODES.stop(N2, "sandbox");
    }

    /** They share the target, the link and the processors. */
    @Test
    void severalAtOnce() throws Exception {
        atOnce(2);
    }

    /** Each of two would fit; both are told so before either is awaited. */
    @Test
    void roomIsNotPromisedTwice() throws Exception {
        NODES.startPattern(N1, "one", 600);
        NODES.startPattern(N1, "two", 600);
        NODES.bash(N2, TIGHTEN);
        try {
            twoForTheRoomOfOne();
        } finally {
            NODES.bash(N2, LOOSEN);
        }
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }

    private static void twoForTheRoomOfOne() throws Exception {
        FaultBlow blow = new FaultBlow(NODES, FaultPoint.SOURCE_CHECKED);
        blow.arm();
        CompletableFuture<Moved> one = Moving.start(() -> NODES.migrate(N1, "one"));
        blow.await(one);
        String held = "/run/migrator-fault/" + FaultPoint.SOURCE_CHECKED.text();
        String first = NODES.out(N1, "cat", held);
        CompletableFuture<Moved> two = Moving.start(() -> NODES.migrate(N1, "two"));
        NODES.bash(
                N1,
                "for _ in {1..1500}; do [[ $(cat %s) != %s ]] && exit 0; sleep 0.02; done; exit 1"
                        .formatted(held, first));
        blow.heal();
        List<Moved> both = List.of(one.get(100, TimeUnit.SECONDS), two.get(100, TimeUnit.SECONDS));
        boolean oneGoes = both.getFirst().exit() == 0;
        assertTrue(oneGoes || both.getLast().exit() == 0, both::toString);
        assertPreCopied(both.get(oneGoes ? 0 : 1));
        Moved stays = both.get(oneGoes ? 1 : 0);
        stays.refused(REFUSED);
        assertTrue(stays.err().contains("no room beside others"), stays.err());
        NODES.verify(N2, oneGoes ? "one" : "two");
        NODES.stop(N2, oneGoes ? "one" : "two");
        String rest = oneGoes ? "two" : "one";
        NODES.verify(N1, rest);
        assertPreCopied(NODES.migrate(N1, rest));
        NODES.verify(N2, rest);
        NODES.stop(N2, rest);
    }

    @Tag("long")
    @Test
    void eightAtOnce() throws Exception {
        atOnce(8);
    }

    private static void atOnce(int jobs) throws Exception {
        List<CompletableFuture<Moved>> moving = new ArrayList<>();
        for (int job = 0; job < jobs; job++) {
            NODES.startPattern(N1, "job" + job, 48, "--rate", "5");
        }
        for (int job = 0; job < jobs; job++) {
            String name = "job" + job;
            moving.add(Moving.start(() -> NODES.migrate(N1, name)));
        }
        for (CompletableFuture<Moved> each : moving) {
            assertPreCopied(each.get(200, TimeUnit.SECONDS));
        }
        for (int job = 0; job < jobs; job++) {
            NODES.verify(N2, "job" + job);
            NODES.stop(N2, "job" + job);
        }
        NODES.assertAsBefore(N1);
        NODES.assertAsBefore(N2);
    }
}
