package io.migrator.memory;

import io.migrator.criu.MemoryMap;
import io.migrator.criu.Parents;
import io.migrator.instance.ProcessTree;
import io.migrator.linux.Proc;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Pages that processes of a dumped job have of their parents, page by page as these have them: at
 * the restore they are there by the fork.
 *
 * @param pages by the pids of those who inherit
 * @param maps of all processes that have memory
 * @param parents by the pids of their children
 */
public record Inherited(
        JobPages pages, Map<Integer, MemoryMap> maps, Map<Integer, Integer> parents) {
    /**
     * Where what a mapping inherits comes from.
     *
     * @param parent pid
     * @param common addresses, from the mapping's beginning
     * @param place of the first of them, in bytes from where criu puts the parent's mappings
     */
    record Origin(int parent, PageRange common, long place) {}

    /** Nothing is inherited. */
    public static Inherited none() {
        return new Inherited(new JobPages(), Map.of(), Map.of());
    }

    /** Of a dump that is complete. */
    public static Inherited of(JobPages pages, Path images, Map<Integer, MemoryMap> maps)
            throws IOException {
        return new Inherited(pages, maps, Parents.of(images));
    }

    /**
     * Those for which the parent has the same kind of mapping there, and which both processes have.
     *
     * @param all pages of the job that criu's images lack
     */
    public Inherited possible(JobPages all) {
        JobPages found = new JobPages();
        maps.forEach((pid, map) -> {
            JobPages both = new JobPages();
            Integer parent = parents.get(pid);
            if (parent != null) {
                both.put(pid, pages.of(pid).copy());
                both.at(pid).retainAll(all.of(pid));
                both.at(pid).retainAll(all.of(parent));
            }
            if (both.bytes() > 0) {
                origins(pid).values().forEach(from -> found.addAll(pid, both, from.common));
            }
        });
        return new Inherited(found, maps, parents);
    }

    /**
     * These and what else is found of a job that stands still, but where there is little to find.
     * Who may not be looked at inherits no more.
     *
     * @param others among which to look
     * @param all pages of the job that criu's images lack
     */
    public Inherited and(JobPages others, JobPages all, ProcessTree frozen) {
        Map<Integer, Proc> processes = new HashMap<>();
        frozen.members().forEach(each -> processes.put(each.pid(), each.process()));
        JobPages found = new JobPages();
        try (Inheritance inheritance = new Inheritance()) {
            for (Map.Entry<Integer, Integer> each : parents.entrySet()) {
                Proc child = processes.get(each.getKey());
                Proc parent = processes.get(each.getValue());
                PageSet some = others.of(each.getKey()).copy();
                some.retainAll(all.of(each.getValue()));
                if (child != null && parent != null && some.bytes() >= Inheritance.LEAST_BYTES) {
                    PageSet shared = shared(inheritance, child, parent, some);
                    Inheritance.keepWorth(
                            shared,
                            all.of(each.getKey()).without(pages.of(each.getKey())),
                            areas(each.getKey()),
                            areas(each.getValue()));
                    found.put(each.getKey(), shared);
                }
            }
        }
        JobPages both = new Inherited(found, maps, parents).possible(all).pages;
        pages.pids().forEach(pid -> both.at(pid).addAll(pages.of(pid)));
        return new Inherited(both, maps, parents);
    }

    private static PageSet shared(Inheritance inheritance, Proc child, Proc parent, PageSet pages) {
        try {
            return inheritance.find(child, parent, pages);
        } catch (IOException e) {
            return new PageSet();
        }
    }

    private List<PageRange> areas(int pid) {
        return mapOf(pid).areas().stream()
                .filter(MemoryMap.Area::isInheritable)
                .map(area -> new PageRange(area.start(), area.end()))
                .toList();
    }

    private MemoryMap mapOf(int pid) {
        return maps.getOrDefault(pid, new MemoryMap(List.of()));
    }

    /** Those of a process's mappings that can inherit something, by where they begin. */
    Map<Long, Origin> origins(int pid) {
        Map<Long, Origin> found = new HashMap<>();
        Integer parent = parents.get(pid);
        if (parent == null) {
            return found;
        }
        TreeMap<Long, MemoryMap.Area> theirs = new TreeMap<>();
        Map<Long, Long> places = new HashMap<>();
        long at = 0;
        for (MemoryMap.Area each : mapOf(parent).areas()) {
            if (each.isInheritable()) {
                theirs.put(each.start(), each);
                places.put(each.start(), at);
            }
            at += each.isPremapped() ? each.end() - each.start() : 0;
        }
        for (MemoryMap.Area area : mapOf(pid).areas()) {
            Map.Entry<Long, MemoryMap.Area> from = theirs.floorEntry(area.start());
            if (area.isInheritable()
                    && from != null
                    && area.start() < from.getValue().end()
                    && area.flags() == from.getValue().flags()) {
                long end = Math.min(area.end(), from.getValue().end());
                long place = places.getOrDefault(from.getKey(), 0L) + area.start() - from.getKey();
                found.put(
                        area.start(), new Origin(parent, new PageRange(area.start(), end), place));
            }
        }
        return found;
    }

    /** Of some pages those on which nobody's depend who inherits them. */
    public JobPages independent(JobPages some) {
        JobPages found = some.without(pages);
        parents.forEach((pid, parent) -> found.at(parent).removeAll(pages.of(pid)));
        return found;
    }
}
