package io.migrator.instance;

import io.migrator.linux.Proc;
import io.migrator.linux.Scheduling;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a thread has been set to and criu does not restore, silently: the processors it is bound to,
 * the priority of its reads and writes, and what goes into a core file.
 *
 * @param thread pid inside
 * @param processors such as {@code 0-3}; empty if it may run wherever its instance may
 * @param ioPriority see ioprio_set(2); 0 if none was set
 * @param coreFilter hexadecimal; empty for other than first threads, and if it is its instance's
 */
public record Traits(int thread, String processors, int ioPriority, String coreFilter) {
    private static final String PROCESSORS = "Cpus_allowed_list";
    private static final String CORE_FILTER = "coredump_filter";

    /** Those of all threads that were set to something. */
    public static List<Traits> of(Instance instance, ProcessTree tree) throws IOException {
        Proc appinit = new Proc(instance.appinit());
        String everywhere = appinit.status(PROCESSORS).orElse("");
        String usual = coreFilter(appinit);
        List<Traits> found = new ArrayList<>();
        for (ProcessTree.Member member : tree.members()) {
            try {
                for (Proc thread : member.process().threads()) {
                    boolean first = thread.pid() == member.process().pid();
                    String filter = first ? coreFilter(thread) : usual;
                    String processors = thread.status(PROCESSORS).orElse(everywhere);
                    Traits traits =
                            new Traits(
                                    (int) thread.innerPid(),
                                    processors.equals(everywhere) ? "" : processors,
                                    Scheduling.ioPriority(thread),
                                    filter.equals(usual) ? "" : filter);
                    if (!traits.isNothing()) {
                        found.add(traits);
                    }
                }
            } catch (IOException e) {
                // it ended while we looked
            }
        }
        return found;
    }

    private static String coreFilter(Proc process) throws IOException {
        return Files.readString(process.file(CORE_FILTER), StandardCharsets.US_ASCII).strip();
    }

    private boolean isNothing() {
        return processors.isEmpty() && ioPriority == 0 && coreFilter.isEmpty();
    }

    /**
     * Sets restored threads to theirs.
     *
     * @return what could not be set, for the user
     */
    public static List<String> apply(List<Traits> all, ProcessTree restored) throws IOException {
        Map<Integer, Proc> threads = new TreeMap<>();
        for (ProcessTree.Member member : restored.members()) {
            for (Proc thread : member.process().threads()) {
                threads.put((int) thread.innerPid(), thread);
            }
        }
        List<String> failed = new ArrayList<>();
        for (Traits traits : all) {
            Proc thread = threads.get(traits.thread);
            if (thread != null) {
                traits.apply(thread, failed);
            }
        }
        return failed;
    }

    private void apply(Proc to, List<String> failed) {
        try {
            if (!coreFilter.isEmpty()) {
                Files.writeString(to.file(CORE_FILTER), "0x" + coreFilter);
            }
            if (ioPriority != 0) {
                Scheduling.setIoPriority(to, ioPriority);
            }
            if (!processors.isEmpty()) {
                Scheduling.setAffinity(to, processors);
            }
        } catch (IOException e) {
            failed.add("thread %d is not as it was set: %s".formatted(thread, e.getMessage()));
        }
    }
}
