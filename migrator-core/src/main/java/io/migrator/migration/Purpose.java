package io.migrator.migration;

/** What is to become of a job that was loaded on its target. */
public enum Purpose {
    /** It runs there, and not here any more. */
    MOVE(false, true),
    /** Its copy is discarded there, and it runs on here. */
    REHEARSE(true, false),
    /** An archive keeps its copy, and it runs on here. */
    KEEP(true, true),
    /** An archive keeps its copy, and it is ended here. */
    END(false, true);

    private final boolean runsOn;
    private final boolean keepsCopy;

    Purpose(boolean runsOn, boolean keepsCopy) {
        this.runsOn = runsOn;
        this.keepsCopy = keepsCopy;
    }

    /** Whether the job runs on where it was. */
    public boolean runsOn() {
        return runsOn;
    }

    /** Whether the target is to keep what it was given. */
    boolean keepsCopy() {
        return keepsCopy;
    }

    /** Whether what goes along of files is a copy: those of the source stay. */
    boolean leavesFiles() {
        return this != MOVE;
    }
}
