package io.migrator.fault;

import io.migrator.linux.PidFd;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The processes of this node's side of a migration, and their end by SIGKILL. */
final class Victims {
    private static final Duration DEATH = Duration.ofSeconds(10);

    private Victims() {}

    /** Returns when they are killed, if this program is not among them. */
    static void kill(FaultAction.Victim victim) throws IOException, InterruptedException {
        List<PidFd> all = new ArrayList<>();
        try {
            // all are found before the first dies; footholds first: they would tidy up after criu
            switch (victim) {
                case JVM -> add(all, self());
                case CRIU -> addAll(all, crius());
                case FOOTHOLD -> addAll(all, footholds());
                case SIDE -> {
                    addAll(all, footholds());
                    addAll(all, crius());
                    add(all, self());
                }
            }
            for (PidFd each : all) {
                each.send(PidFd.Signal.KILL);
            }
        } finally {
            all.forEach(PidFd::close);
        }
        if (victim == FaultAction.Victim.JVM || victim == FaultAction.Victim.SIDE) {
            Thread.sleep(DEATH); // the signal may take a moment to arrive
        }
    }

    private static ProcessHandle self() {
        return ProcessHandle.current();
    }

    /** Our children, or those of sudo. */
    private static List<ProcessHandle> footholds() {
        try (Stream<ProcessHandle> descendants = self().descendants()) {
            return descendants.filter(each -> nameOf(each).equals("foothold")).toList();
        }
    }

    /** A foothold's children, and those of their descendants that are not the job's yet. */
    private static List<ProcessHandle> crius() {
        List<ProcessHandle> found = new ArrayList<>();
        for (ProcessHandle foothold : footholds()) {
            try (Stream<ProcessHandle> children = foothold.children();
                    Stream<ProcessHandle> descendants = foothold.descendants()) {
                found.addAll(children.toList());
                descendants
                        .filter(each -> !found.contains(each) && titleOf(each).contains("criu: "))
                        .forEach(found::add);
            }
        }
        return found;
    }

    private static String nameOf(ProcessHandle process) {
        try {
            return new Proc(process.pid()).name();
        } catch (IOException e) {
            return ""; // gone
        }
    }

    private static String titleOf(ProcessHandle process) {
        try {
            return new Proc(process.pid()).commandLine();
        } catch (IOException e) {
            return "";
        }
    }

    private static void addAll(List<PidFd> all, List<ProcessHandle> processes) {
        processes.forEach(process -> add(all, process));
    }

    private static void add(List<PidFd> all, ProcessHandle process) {
        try {
            all.add(PidFd.open(process.pid()));
        } catch (IOException e) {
            // it died by itself
        }
    }
}
