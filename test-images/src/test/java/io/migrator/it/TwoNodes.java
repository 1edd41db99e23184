package io.migrator.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.migrator.lab.Lab;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * The lab's nodes n1 and n2, swept before each test and at the end, with what tests do on them as
 * root. The lab is brought up once and stays up; which one it is, MIGRATOR_LAB_DIR says. One
 * thread, except {@link #run} and {@link #migrate}.
 */
final class TwoNodes extends Person
        implements BeforeAllCallback, BeforeEachCallback, AfterAllCallback {
    static final String N1 = "n1";
    static final String N2 = "n2";
    static final List<String> BOTH = List.of(N1, N2);

    /** In /shared, so the same on both nodes. */
    static final String IMAGE = "/shared/images/base.sif";

    /** The image of real programs, which {@link #makeApps} makes. */
    static final String APPS = "/shared/images/apps.sif";

    /** Longer than a target that was cut off takes to clean itself. */
    static final Duration CLEAN = Duration.ofSeconds(40);

    private final Map<String, Snapshot> before = new HashMap<>();
    private Lab lab;

    TwoNodes() {
        super("root", "/root");
    }

    @Override
    Lab lab() {
        return lab;
    }

    /** The same nodes as another user sees them. */
    Person as(String user) {
        return new Person(user, "/home/" + user) {
            @Override
            Lab lab() {
                return lab;
            }
        };
    }

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        String dist = System.getProperty("migrator.dist");
        Assumptions.assumeTrue(dist != null, "lab tests skipped: -Dmigrator.dist is not set");
        Assumptions.assumeTrue(
                "root".equals(System.getProperty("user.name")),
                "lab tests skipped: a lab needs root");
        lab = Lab.of(Path.of(dist));
        lab.up();
    }

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        sweep();
        CompletableFuture<Snapshot> other = Moving.start(() -> snapshot(N2));
        before.put(N1, snapshot(N1));
        before.put(N2, other.get());
    }

    /** What the last test left is swept here, what the others left before the next. */
    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        if (lab != null) {
            sweep();
        }
    }

    private void sweep() throws Exception {
        CompletableFuture<Void> other = Moving.start(() -> sweep(N2));
        sweep(N1);
        other.get();
    }

    private Void sweep(String node) throws Exception {
        link(node, "up");
        link(node, "rate", "none");
        run(node, "bash", "-c", Sweep.LINE);
        return null;
    }

    /** What root does on a node so that its users can move instances of the setuid starter. */
    void setUp() throws Problem, InterruptedException {
        for (String node : BOTH) {
            bash(
                    node,
                    "umask 337; migrator setup --allow seccomp,inotify >/etc/sudoers.d/migrator");
        }
    }

    static String other(String node) {
        return node.equals(N1) ? N2 : N1;
    }

    /** How much of its memory is huge pages, kB. */
    long hugeKilobytes(String node, String name) throws Exception {
        String line = "awk '/^AnonHugePages/ { print $2 }' /proc/%d/smaps_rollup";
        return Long.parseLong(bash(node, line.formatted(payload(node, name))));
    }

    /** {@code lab image apps}: takes two minutes if it is not there. */
    void makeApps() throws Problem, InterruptedException {
        assertEquals(0, lab.run(List.of("image", "apps")), "lab image apps");
    }

    /** {@code lab link}. */
    void link(String node, String... words) throws Problem, InterruptedException {
        List<String> argv = new ArrayList<>(List.of("link", node));
        argv.addAll(List.of(words));
        assertEquals(0, lab.run(argv), () -> "lab " + argv);
    }

    /** The folder on this machine that is /shared on the nodes. */
    Path shared() throws Problem, InterruptedException {
        return lab.shared();
    }

    /** Where the payload of an instance keeps its files, on whatever node it is. */
    static String directory(String name) {
        return "/root/.migrator/runs/" + name;
    }

    /** The report of a payload that was started with {@code --report} and this path. */
    static String report(String name) {
        return directory(name) + "/report";
    }

    Snapshot snapshot(String node) throws Problem, InterruptedException {
        return new Snapshot(out(node, Snapshot.command().toArray(String[]::new)));
    }

    /** A node as it was before the test. */
    Snapshot before(String node) {
        return before.get(node);
    }

    /** Waits until a node is as it was before the test. */
    void assertAsBefore(String node) throws Problem, InterruptedException {
        assertAs(node, before.get(node));
    }

    /** Waits until a node is as it was. */
    void assertAs(String node, Snapshot earlier) throws Problem, InterruptedException {
        long end = System.nanoTime() + CLEAN.toNanos();
        Snapshot now = snapshot(node);
        while (!now.equals(earlier) && System.nanoTime() < end) {
            Thread.sleep(250);
            now = snapshot(node);
        }
        String difference = earlier.difference(now);
        assertEquals("", difference, "left on " + node);
        assertEquals(earlier, now);
    }
}
