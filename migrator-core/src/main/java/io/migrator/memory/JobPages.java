package io.migrator.memory;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Pages of the processes of a job, by their pids inside the instance. One thread. */
public final class JobPages {
    private static final PageSet NONE = new PageSet();

    private final Map<Integer, PageSet> processes = new HashMap<>();

    /** Adds a range. */
    public void add(int pid, long start, long end) {
        at(pid).add(start, end);
    }

    /** Takes a range out. */
    public void remove(int pid, long start, long end) {
        at(pid).remove(start, end);
    }

    /** Has these of one process, and no others of it. */
    void put(int pid, PageSet pages) {
        processes.put(pid, pages);
    }

    /** Those of one process, to be changed. */
    PageSet at(int pid) {
        return processes.computeIfAbsent(pid, _ -> new PageSet());
    }

    /** Those of one process, to be looked at. */
    PageSet of(int pid) {
        return processes.getOrDefault(pid, NONE);
    }

    /** The processes. */
    Set<Integer> pids() {
        return processes.keySet();
    }

    /** These without what others have. */
    public JobPages without(JobPages others) {
        JobPages rest = new JobPages();
        processes.forEach((pid, pages) -> rest.processes.put(pid, pages.without(others.of(pid))));
        return rest;
    }

    /** Takes out what others have. */
    public void removeAll(JobPages others) {
        processes.forEach((pid, pages) -> pages.removeAll(others.of(pid)));
    }

    /** How many bytes that is. */
    public long bytes() {
        return processes.values().stream().mapToLong(PageSet::bytes).sum();
    }
}
