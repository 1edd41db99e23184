package io.migrator.handover;

import io.migrator.handover.Handover.Source;
import io.migrator.handover.Handover.Target;
import io.migrator.handover.World.Job;
import io.migrator.handover.World.SourceActor;
import io.migrator.handover.World.TargetActor;
import io.migrator.handover.World.TargetCriu;

/** How a world stands when no program has anything left to do. */
enum Ending {
    ON_SOURCE("runs on the source, nothing else is left but the target's tombstone"),
    ON_SOURCE_UNTOLD(
            "runs on the source, which was killed between thaw and journal, so that this still says"
                    + " granted: waits for the line, or a person"),
    ON_SOURCE_OPEN("runs on the source, which has still to tell the target: waits for the line"),
    ON_TARGET("runs on the target, or came to its end there; nothing is left"),
    WAITS_FOR_LINE("granted, and the target cannot be reached: waits for the line, or a person"),
    FILLING_WAITS_FOR_LINE(
            "runs on the target without all its memory, and the source, which has the rest, cannot"
                    + " be reached: waits for the line, or a person"),
    FILLING_WITHOUT_SOURCE(
            "runs on the target, or came to its end there, and lacked memory by its journal, which"
                    + " was lost with the source's node"),
    ON_TARGET_UNTOLD("runs on the target, which still has its journal: waits for the line"),
    WAITS_FOR_PERSON("granted, and the target's node started anew: a person takes back or not"),
    TAKEN_NEVER_RAN("taken, did not run, and the source's node is gone: no rule lets it run"),
    LOST_WITH_SOURCE("lost with the source's node, which had the token or was given it back"),
    LOST_WITH_TARGET("lost with the target's node, on which it ran"),
    LOST_WITH_BOTH("lost with both nodes"),
    PERSON_ONE("after a person took back or over: runs on one node"),
    PERSON_NONE("after a person took back or over: lost with a node"),
    PERSON_TWO("after a person took back with the target out of reach: runs on both"),
    PERSON_FILLING(
            "after a person took back with the target out of reach: runs on the source, and on the"
                    + " target without all its memory, until it is told"),
    LOST("LOST: it can run nowhere"),
    LEFTOVER("LEFT OVER: something stays that no program will remove"),
    STUCK("STUCK: a program or a job stands still without a named cause"),
    LIVELOCK("LIVELOCK: the programs go round in a circle");

    final String meaning;

    Ending(String meaning) {
        this.meaning = meaning;
    }

    boolean isBad() {
        return compareTo(LOST) >= 0;
    }

    static Ending of(World world) {
        boolean onTarget = world.job() == Job.RUNS || world.job() == Job.ENDED;
        if (world.sActor() != SourceActor.NONE || world.tActor() != TargetActor.NONE) {
            return STUCK;
        } else if (world.person()) {
            return byPerson(world, onTarget);
        } else if (world.sourceExecutes()) {
            return onSource(world);
        } else if (onTarget) {
            return onTarget(world);
        } else if (world.tree()) {
            return sealed(world);
        }
        return gone(world);
    }

    private static Ending byPerson(World world, boolean onTarget) {
        if (onTarget && !world.complete()) {
            return !world.sourceExecutes() ? PERSON_NONE : world.cut() ? PERSON_FILLING : STUCK;
        }
        if (world.sourceExecutes() == onTarget) {
            return onTarget ? PERSON_TWO : PERSON_NONE;
        }
        return PERSON_ONE;
    }

    private static Ending onSource(World world) {
        if (!isClean(world)) {
            return LEFTOVER;
        } else if (world.sJournal() == Source.RUNNING) {
            return ON_SOURCE;
        } else if (world.sJournal() == Source.OPEN && world.cut()) {
            return ON_SOURCE_OPEN;
        }
        boolean waits = world.cut() || world.tRebooted();
        return world.sJournal() == Source.GRANTED && waits ? ON_SOURCE_UNTOLD : LEFTOVER;
    }

    private static Ending onTarget(World world) {
        if (world.tree()) {
            Ending waits = sealed(world);
            boolean fills = waits == WAITS_FOR_LINE && world.tJournal() == Target.FILLING;
            return fills ? FILLING_WAITS_FOR_LINE : waits;
        } else if (!world.complete() || world.tJournal() == Target.FILLING) {
            return world.sRebooted() ? FILLING_WITHOUT_SOURCE : LOST;
        } else if (world.sJournal() == Source.RUNNING && world.tJournal() == Target.NONE) {
            return ON_TARGET;
        }
        return world.cut() ? ON_TARGET_UNTOLD : LEFTOVER;
    }

    private static Ending sealed(World world) {
        if (world.sJournal() != Source.GRANTED) {
            return STUCK;
        } else if (world.cut()) {
            return WAITS_FOR_LINE;
        }
        return world.tRebooted() ? WAITS_FOR_PERSON : STUCK;
    }

    private static Ending gone(World world) {
        if (world.sRebooted()) {
            return world.tJournal() == Target.TAKEN
                    ? TAKEN_NEVER_RAN
                    : world.tRebooted() ? LOST_WITH_BOTH : LOST_WITH_SOURCE;
        }
        return world.tRebooted() ? LOST_WITH_TARGET : LOST;
    }

    private static boolean isClean(World world) {
        boolean criu = world.tCriu() == TargetCriu.NONE || world.tCriu() == TargetCriu.ENDED;
        boolean journal = world.tJournal() == Target.NONE || world.tJournal() == Target.REFUSED;
        return criu && journal && world.job() == Job.NONE;
    }
}
