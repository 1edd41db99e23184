package io.migrator.handover;

/** One thing that can happen in a world. */
record Move(Kind kind, String what, World to) {
    enum Kind {
        /** Done by a live program without anybody's doing. */
        STEP,
        HEAL,
        RECOVER_SOURCE,
        RECOVER_TARGET,
        /** The job comes to its own end on the target. */
        JOB_ENDS,
        FAULT,
        PERSON
    }

    /** Takes the moves as they are found. */
    interface Sink {
        void add(Kind kind, String what, Draft to);
    }
}
