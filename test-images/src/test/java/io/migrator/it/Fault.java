package io.migrator.it;

import io.migrator.fault.FaultPoint;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What goes wrong in a case of the table. */
enum Fault {
    SOURCE_JVM("kill -9 of the source's JVM", Where.SOURCE),
    SOURCE_CRIU("kill -9 of the source's criu", Where.SOURCE),
    SOURCE_FOOTHOLD("kill -9 of the source's foothold", Where.SOURCE),
    SOURCE_SIDE("kill -9 of all of the source's side at once", Where.SOURCE),
    RECEIVER("kill -9 of the receiver", Where.TARGET),
    TARGET_CRIU("kill -9 of the target's criu", Where.TARGET),
    TARGET_SIDE("kill -9 of all of the target's side at once", Where.TARGET),
    SSH("the SSH session is killed, the network is well", Where.TARGET),
    CUT("the link is cut, and healed when migrate has ended", Where.POINT),
    CUT_5S("the link is cut, and healed after 5 s", Where.POINT),
    FULL("/dev/shm is full on the side of the point", Where.POINT),
    STOP_OWN("30 s of SIGSTOP to the JVM of the point's side", Where.POINT),
    STOP_OTHER("30 s of SIGSTOP to the JVM of the other side", Where.OTHER);

    private enum Where {
        SOURCE,
        TARGET,
        POINT,
        OTHER
    }

    private final String description;
    private final Where where;

    Fault(String description, Where where) {
        this.description = description;
        this.where = where;
    }

    static Fault of(String text) {
        return Arrays.stream(values())
                .filter(fault -> fault.text().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no fault " + text));
    }

    String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    String description() {
        return description;
    }

    /** Returns true if it strikes the migrating side. */
    boolean atSource(FaultPoint point) {
        return switch (where) {
            case SOURCE -> true;
            case TARGET -> false;
            case POINT -> point.ofSource();
            case OTHER -> !point.ofSource();
        };
    }

    /**
     * Returns true if what it strikes is there at a point. Where a side is its JVM alone, killing
     * the side is killing the JVM, and is left out.
     */
    boolean exists(FaultPoint point) {
        return switch (this) {
            case SOURCE_CRIU, SOURCE_FOOTHOLD, SOURCE_SIDE -> dumpLives(point);
            case TARGET_CRIU, TARGET_SIDE -> restoreLives(point);
            default -> true;
        };
    }

    /**
     * Returns true if the job has to lie in two cgroups. One that lies in one cgroup is sealed by
     * freezing that, and migrator itself ends criu then.
     */
    boolean needsSpread(FaultPoint point) {
        boolean ofCriu = this == SOURCE_CRIU || this == SOURCE_FOOTHOLD || this == SOURCE_SIDE;
        return ofCriu && point != FaultPoint.SOURCE_DUMPING && point != FaultPoint.SOURCE_HELD;
    }

    private static boolean dumpLives(FaultPoint point) {
        return between(point, FaultPoint.SOURCE_DUMPING, FaultPoint.SOURCE_TAKEN)
                || between(point, FaultPoint.TARGET_RESTORED, FaultPoint.TARGET_RUNNING);
    }

    private static boolean restoreLives(FaultPoint point) {
        return between(point, FaultPoint.SOURCE_PREPARED, FaultPoint.SOURCE_GRANTING)
                || between(point, FaultPoint.TARGET_PREPARED, FaultPoint.TARGET_RUNNING);
    }

    private static boolean between(FaultPoint point, FaultPoint first, FaultPoint last) {
        return point.compareTo(first) >= 0 && point.compareTo(last) <= 0;
    }

    static List<Fault> at(FaultPoint point) {
        return Arrays.stream(values()).filter(fault -> fault.exists(point)).toList();
    }
}
