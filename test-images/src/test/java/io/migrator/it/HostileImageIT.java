package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.fault.FaultPoint;
import io.migrator.linux.Command;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * An image full of traps: everything that criu, its loader or its libraries would run or load from
 * the file system it is started in (facts: users.md section 6). None of it may run in a migration.
 */
class HostileImageIT {
    /** Writes a line wherever it is loaded into something that is called criu. */
    private static final String TRAP =
            """
            #include <fcntl.h>
            #include <string.h>
            #include <unistd.h>
            __attribute__((constructor)) static void trap(void)
            {
                char line[256];
                int in = open("/proc/self/cmdline", O_RDONLY);
                long n = read(in, line, sizeof line - 1);

                close(in);
                if (n < 0)
                    return;
                for (long i = 0; i < n; i++)
                    if (!line[i])
                        line[i] = ' ';
                line[n] = 0;
                if (!strstr(line, "criu"))
                    return;
                int out = open("/tmp/trap", O_WRONLY | O_CREAT | O_APPEND, 0666);
                write(out, "loaded into ", 12);
                write(out, line, n);
                write(out, "\\n", 1);
                close(out);
            }
            """;

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    private Path image;

    @BeforeEach
    void makeImage() throws Exception {
        image = NODES.shared().resolve("hostile");
        NODES.bash(N1, "rm -rf /shared/hostile /tmp/trap*");
        NODES.bash(N2, "rm -f /tmp/trap*");
        NODES.bash(
                N1,
                "cd /shared && apptainer -q sif dump "
                        + "$(apptainer sif list images/base.sif | awk '/Squashfs/{print $1}')"
                        + " images/base.sif >/shared/hostile.sqfs"
                        + " && unsquashfs -q -n -d hostile hostile.sqfs && rm hostile.sqfs");
        String script = "#!/bin/sh\necho \"$0 run by $(cat /proc/$PPID/cmdline)\" >>/tmp/trap\n";
        for (String program : List.of("iptables", "ip6tables", "nft", "sh-trap")) {
            Path path = image.resolve("usr/sbin").resolve(program);
            Files.deleteIfExists(path);
            Files.writeString(path, script);
            path.toFile().setExecutable(true, false);
        }
        Path shell = image.resolve("usr/bin/sh"); // which Apptainer itself runs, as the owner
        Files.delete(shell);
        Files.writeString(
                shell,
                "#!/usr/bin/bash\necho $EUID >>/tmp/trap-sh\nexec /usr/bin/bash --posix \"$@\"\n");
        shell.toFile().setExecutable(true, false);
        Path source = Files.writeString(image.resolve("trap.c"), TRAP);
        Path trap = image.resolve("trap.so");
        Command.of("gcc", "-shared", "-fPIC", "-o", trap.toString(), source.toString())
                .run(Duration.ofSeconds(20))
                .orFail("the trap does not compile");
        for (String name :
                List.of(
                        "usr/lib/criu/trap.so",
                        "usr/lib64/criu/trap.so",
                        "usr/lib/x86_64-linux-gnu/libnss_trap.so.2")) {
            Files.createDirectories(image.resolve(name).getParent());
            Files.copy(trap, image.resolve(name));
        }
        Files.writeString(image.resolve("etc/ld.so.preload"), "/trap.so\n");
        Files.writeString(
                image.resolve("etc/nsswitch.conf"),
                "passwd: trap\ngroup: trap\nhosts: trap\nservices: trap\nprotocols: trap\n");
        Files.createDirectories(image.resolve("etc/criu"));
        Files.writeString(
                image.resolve("etc/criu/default.conf"), "action-script /usr/sbin/sh-trap\n");
    }

    @AfterEach
    void removeImage() throws Exception {
        NODES.bash(N1, "rm -rf /shared/hostile /tmp/trap*");
        NODES.bash(N2, "rm -f /tmp/trap*");
    }

    /** The job brings what it started: on the target it would run a second time. */
    @Test
    void theStartScriptDoesNotRunOnTheTarget() throws Exception {
        Path script = image.resolve(".singularity.d/startscript");
        Files.writeString(script, "#!/bin/sh\ncat /etc/migrator-node >>/tmp/trap\n");
        script.toFile().setExecutable(true, false);
        NODES.bash(
                N1,
                "migrator run --bind /shared /shared/hostile job --"
                        + " /shared/bin/pattern --mb 16 --report /tmp/hostile.out");
        assertEquals(N1, NODES.out(N1, "cat", "/tmp/trap"));
        NODES.migrate(N1, "job").well();
        assertEquals("", traps(N2));
    }

    /** alice's instance is one of the setuid starter. */
    @Tag("long")
    @ParameterizedTest
    @ValueSource(strings = "alice")
    void noneOfTheTrapsRunsAsAnotherUser(String user) throws Exception {
        noneOfTheTrapsRuns(user);
    }

    @ParameterizedTest
    @ValueSource(strings = "root")
    void noneOfTheTrapsRuns(String user) throws Exception {
        Person person = user.equals("root") ? NODES : NODES.as(user);
        NODES.setUp();
        person.bash(
                N1,
                "migrator run --bind /shared /shared/hostile job --"
                        + " /shared/bin/pattern --mb 16 --report /tmp/hostile.out");
        person.migrate(N1, "job").well();
        person.migrate(N2, "job").well();
        fails(person, FaultPoint.SOURCE_DUMPING, Fault.FULL);
        fails(person, FaultPoint.TARGET_RESTORED, Fault.TARGET_CRIU);
        assertEquals("", traps(N1));
        assertEquals("", traps(N2));
        if (!user.equals("root")) {
            for (String node : TwoNodes.BOTH) {
                assertEquals("1000", NODES.bash(node, "sort -u /tmp/trap-sh"));
            }
        }

        // they do work: the same image under programs that are not protected
        person.bash(N1, "apptainer -q exec instance://job sh -c ': criu'");
        person.bash(N1, "apptainer -q exec instance://job /usr/sbin/iptables");
        assertTrue(traps(N1).contains("loaded into"), traps(N1));
        assertTrue(traps(N1).contains("iptables run by"), traps(N1));
        person.stop(N1, "job");
        NODES.bash(N1, "rm -f /tmp/hostile.out");
    }

    private static void fails(Person person, FaultPoint point, Fault fault) throws Exception {
        FaultBlow blow = new FaultBlow(NODES, point);
        blow.arm();
        CompletableFuture<Moved> moving = Moving.start(() -> person.migrate(N1, "job"));
        blow.await(moving);
        blow.strike(fault);
        moving.get(60, TimeUnit.SECONDS).failedWithJobOn(N1);
        blow.heal();
    }

    private static String traps(String node) throws Exception {
        return NODES.bash(node, "cat /tmp/trap 2>/dev/null || true");
    }
}
