package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.InputStream;
import java.nio.file.Files;
import java.util.List;

/** Jobs that hold one kind of thing each, and try it all the time (kinds.pl). */
final class Kinds {
    static final String PROGRAM = "/shared/it/kinds.pl";
    private static final String SHARED = "/shared/it/kinds";

    private Kinds() {}

    /** Puts the program where the nodes see it. */
    static void put(TwoNodes nodes) throws Exception {
        nodes.bash(N1, "mkdir -p -m 1777 /shared/it");
        nodes.bash(N1, "rm -rf %1$s && mkdir -m 1777 %1$s".formatted(SHARED));
        try (InputStream program = Kinds.class.getResourceAsStream("/kinds.pl")) {
            Files.write(nodes.shared().resolve("it/kinds.pl"), program.readAllBytes());
        }
    }

    /** Starts a job on n1; returns what it first said. */
    static String start(Person person, String kind, String... options) throws Exception {
        person.start(
                N1,
                "job",
                List.of(options),
                "perl",
                PROGRAM,
                kind,
                person.directoryOf("job"),
                SHARED);
        String file = person.directoryOf("job") + "/state";
        person.awaitFile(N1, file);
        return person.out(N1, "cat", file);
    }

    /** It was tried again since, and is as it should be. */
    static void assertWorks(Person person, String node, String kind) throws Exception {
        String file = person.directoryOf("job") + "/state";
        String[] first = person.out(node, "cat", file).split(" ");
        Thread.sleep(1000);
        String[] second = person.out(node, "cat", file).split(" ");
        assertEquals("ok", second[0], kind + " on " + node);
        if (Long.parseLong(second[1]) <= Long.parseLong(first[1])) {
            throw new AssertionError("no try after " + first[1] + " on " + node);
        }
    }
}
