package io.migrator.memory;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Pages of the processes of a job, by their pids inside the instance. One thread. */
public final class JobPages {
    /** Pages of a block of 2 MB. */
    private static final int QUARTER = 128;

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

    /** The same pages, in another object. */
    public JobPages copy() {
        return without(new JobPages());
    }

    /** Of these what lies in some ranges of one process. */
    public void addAll(int pid, JobPages others, PageRange range) {
        at(pid).addAll(others.of(pid), range);
    }

    /**
     * Where these have at least a quarter of a block of 2 MB they get all that others have there: a
     * list of many scattered pages takes longer than the pages between them.
     */
    public void fillUp(JobPages others) {
        processes.forEach((pid, pages) -> pages.fillUp(others.of(pid), QUARTER));
    }

    /** Takes out what others have. */
    public void removeAll(JobPages others) {
        processes.forEach((pid, pages) -> pages.removeAll(others.of(pid)));
    }

    /** How many bytes that is. */
    public long bytes(int pid) {
        return of(pid).bytes();
    }

    /** Of all processes. */
    public long bytes() {
        return processes.values().stream().mapToLong(PageSet::bytes).sum();
    }
}
