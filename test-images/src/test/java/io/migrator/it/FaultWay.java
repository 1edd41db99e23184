package io.migrator.it;

import io.migrator.fault.FaultPoint;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** In which way the job of a case is started and moved; the column of docs/faults.md it fills. */
enum FaultWay {
    /** Of root, and as it is done unasked. */
    PRECOPY("pre-copy", List.of(), List.of()),
    /** With an address of its own, and a client on another machine. */
    STREAM("with a stream", FaultJob.SERVICE, List.of()),
    /** The same in a network of its own. */
    OWN("in its own network", FaultJob.OWN_NETWORK, List.of()),
    STOP("stop-and-copy", List.of(), List.of("--memory", "stop")),
    HYBRID("hybrid", List.of(), List.of("--memory", "hybrid")),
    /** Of an ordinary user, in a user namespace. */
    USER("of a user", List.of("--userns"), List.of()),
    /** Of an ordinary user, by Apptainer's setuid starter. */
    SETUID("setuid", List.of(), List.of());

    private final String title;
    private final List<String> runs;
    private final List<String> migrates;

    FaultWay(String title, List<String> runs, List<String> migrates) {
        this.title = title;
        this.runs = runs;
        this.migrates = migrates;
    }

    static FaultWay of(String name) {
        return Arrays.stream(values())
                .filter(way -> way.text().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no way " + name));
    }

    String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    String title() {
        return title;
    }

    /** Where what was seen is kept. */
    String file() {
        return "faults-%s.tsv".formatted(text());
    }

    Person person(TwoNodes nodes) {
        return ofRoot() ? nodes : nodes.as("alice");
    }

    boolean ofRoot() {
        return this != USER && this != SETUID;
    }

    /** Options of {@code migrator run}. */
    List<String> runs() {
        return runs;
    }

    /** Options of {@code migrator migrate}. */
    String[] migrates() {
        return migrates.toArray(String[]::new);
    }

    /** Whether a move in this way comes there. */
    boolean comesTo(FaultPoint point) {
        return this != STOP || point != FaultPoint.SOURCE_COPYING;
    }

    /** What is expected then. */
    FaultCase of(FaultCase each) {
        return switch (this) {
            case STREAM, OWN -> each.streaming();
            case USER, SETUID -> each.silent();
            default -> each;
        };
    }
}
