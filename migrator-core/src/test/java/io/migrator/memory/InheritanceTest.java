package io.migrator.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.instance.ProcessTree;
import io.migrator.instance.ProcessTree.Member;
import io.migrator.linux.Proc;
import io.migrator.linux.ProcessMemory;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** Pages that a child has of its parent, with two real processes (family.c). */
@Timeout(60)
class InheritanceTest {
    private static final int PAGE = PageSet.PAGE_BYTES;
    private static final int PAGES = 1024;
    private static final int STEPS = 30;
    private static final int MOST_ORDERS = 20;

    /** So much is never written at random: what is inherited stays worth it. */
    private static final int WRITTEN = 100;

    private final StoreSink store = new StoreSink();
    private final PreCopy copy = PreCopyTest.of(Tracking.PROTECT, store);
    private Process shell;
    private Writer to;
    private BufferedReader from;
    private Proc parent;
    private Proc child;
    private ProcessTree tree;
    private long memory;

    @BeforeEach
    void begin(@TempDir Path directory) throws Exception {
        Path program = WatchedProgramTest.compiled("family", directory);
        // not a child of this JVM, which waits for its own children
        shell =
                new ProcessBuilder("sh", "-c", "exec 3<&0; " + program + " <&3 & wait $!")
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        to = shell.outputWriter();
        from = shell.inputReader();
        String[] words = from.readLine().split(" ");
        parent = new Proc(Long.parseLong(words[0]));
        child = new Proc(Long.parseLong(words[1]));
        memory = Long.parseLong(words[2], 16);
        tree = new ProcessTree(List.of(member(parent, 1), member(child, pid(parent))));
        copy.watch(tree);
        assertEquals(List.of(), copy.unwatched());
    }

    private static int pid(Proc process) throws Exception {
        return (int) process.innerPid();
    }

    private static Member member(Proc process, int parent) throws Exception {
        int pid = pid(process);
        return new Member(process, pid, parent, 1, "family", 0, List.of(pid), 0, 0);
    }

    @AfterEach
    void end() throws Exception {
        copy.close();
        to.close();
        assertEquals(0, shell.waitFor());
    }

    private void tell(String line) throws Exception {
        to.write(line + "\n");
        to.flush();
        assertEquals("done", from.readLine());
    }

    private PageSet expected(Proc process, JobPages pages) throws Exception {
        PageSet found = new PageSet();
        found.addAll(pages.of(pid(process)), new PageRange(memory, memory + (long) PAGES * PAGE));
        return found;
    }

    /** What is to be there is there, in the child's place or in its parent's; returns its bytes. */
    private long assertThere(PreCopy.Copied copied) throws Exception {
        PageSet inherited = expected(child, copied.inherited());
        try (ProcessMemory reader = new ProcessMemory()) {
            ByteBuffer page = ByteBuffer.allocateDirect(PAGE);
            for (Proc process : List.of(parent, child)) {
                for (PageRange range : expected(process, copied.sent()).ranges()) {
                    for (long at = range.start(); at < range.end(); at += PAGE) {
                        boolean isParents = inherited.hasAny(new PageRange(at, at + PAGE));
                        Proc holder = isParents ? parent : process;
                        reader.read(process.pid(), at, page.clear());
                        String what = process + " %d".formatted((at - memory) / PAGE);
                        assertEquals(page, store.get(pid(holder), at), what);
                    }
                }
            }
        }
        return inherited.bytes();
    }

    @Test
    void whatAChildHasOfItsParentIsSentOnce() throws Exception {
        tell("c 7 255");
        assertTrue(copy.round().bytes() < 1.5 * PAGES * PAGE);
        assertTrue(copy.inheritedBytes() >= (PAGES - 1) * PAGE);
        tell("c 8 254");
        tell("p 9 253");
        assertTrue(copy.writtenBytes().orElseThrow() >= 3 * PAGE); // the child's 9, too
        copy.round();
        tell("c 10 252");
        tell("p 11 251");
        copy.freeze();
        assertEquals((PAGES - 5L) * PAGE, assertThere(copy.last(Long.MAX_VALUE)));
    }

    @Test
    void ofAParentThatEndsNothingIsInherited() throws Exception {
        copy.round();
        Proc orphan = child;
        to.write("c\n"); // no order: it ends, and its child with it
        to.flush();
        shell.waitFor();
        copy.round();
        assertEquals(0, copy.inheritedBytes(), orphan::toString);
    }

    /** A mapping of which much is the child's own is the child's: the rest would be copied late. */
    @Test
    void whatIsNotWorthItIsSent() throws Exception {
        for (int page = 0; page < PAGES; page += 3) {
            tell("c " + page + " 250");
        }
        assertTrue(copy.round().bytes() >= 2L * PAGES * PAGE);
        assertEquals(0, copy.inheritedBytes());
        copy.freeze();
        assertEquals(0, assertThere(copy.last(Long.MAX_VALUE)));
    }

    @Test
    void whateverBothDo() throws Exception {
        long seed = new Random().nextLong();
        System.out.println("inheritance: seed " + seed);
        Random random = new Random(seed);
        for (int step = 0; step < STEPS; step++) {
            for (int order = random.nextInt(MOST_ORDERS); order > 0; order--) {
                int page = random.nextInt(WRITTEN);
                String who = random.nextBoolean() ? "p " : "c ";
                tell(who + page + " " + random.nextInt(1, 256));
            }
            copy.round();
        }
        tell("c 3 255");
        tell("p 4 255");
        copy.freeze();
        assertTrue(assertThere(copy.last(Long.MAX_VALUE)) >= (PAGES - WRITTEN) * PAGE);
    }
}
