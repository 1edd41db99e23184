package io.migrator.migration;

import io.migrator.files.CarriedFile;
import io.migrator.files.FileAnswer;
import io.migrator.files.FileClaim;
import io.migrator.files.PlacedFile;
import io.migrator.memory.JobSink;
import io.migrator.memory.LateMemory;
import io.migrator.network.NetworkLock;
import io.migrator.problem.Problem;

import java.util.List;
import java.util.Optional;

/**
 * Where a job is moved to: the one seam to the far side. The calls come in this order, each at most
 * once: {@link #survey}, {@link #prepare}, {@link #frozen}, images, {@link #restore}, {@link
 * #load}, {@link #take}, {@link #fill} if pages come late, {@link #done}; {@link #discard} may come
 * instead of any after prepare. {@link #files} and, from prepare to restore, {@link #carry} and
 * {@link #sync} may come between, also more than once, and {@link #place} before restore. Used by
 * one thread, except that another one may write to the sink while it waits.
 *
 * <p>Until take is called the target must not let the job execute. After take it must not undo.
 */
public interface Target extends AutoCloseable {
    /** Answers whether the job could come here; changes nothing. */
    TargetFacts survey(Survey survey) throws Problem, InterruptedException;

    /** Answers for files that the job uses, one answer for each; changes nothing. */
    List<FileAnswer> files(List<FileClaim> claims) throws Problem, InterruptedException;

    /** Makes directories, and empty files beside their places; their bytes go to the sink. */
    void carry(List<CarriedFile> files) throws Problem, InterruptedException;

    /** Returns when what has come of carried files is on the target's disk. */
    void sync() throws Problem, InterruptedException;

    /** Brings files that were carried to their places; their bytes have all been sent. */
    void place(List<PlacedFile> files) throws Problem, InterruptedException;

    /**
     * Says whom to tell of a page that the job waits for, of those that come late. Before restore.
     *
     * @param told by another thread than uses the target
     */
    void wanting(LateMemory.Wanting told);

    /** Makes an empty instance and whatever else the job needs to be restored. */
    Prepared prepare(Order order) throws Problem, InterruptedException;

    /** The job stands still and nobody hears it: what belongs to it may be made here. */
    void frozen() throws Problem;

    /** Takes images from prepare to restore, and pages from prepare to load. */
    JobSink sink();

    /**
     * Begins to restore the images, and holds the job before its first instruction; its private
     * memory may come meanwhile. A failure is told by {@link #load}, or earlier.
     *
     * @param pairs connections of the job to itself
     */
    void restore(List<NetworkLock.Pair> pairs) throws Problem, InterruptedException;

    /**
     * Returns when the job is restored and all pages are in their place (LOADED).
     *
     * @param pageBytes of the pages that the job has
     */
    void load(long pageBytes) throws Problem, InterruptedException;

    /**
     * Takes the token: the job runs here from now on.
     *
     * @throws Problem of exit code UNDECIDED if it is not known whether the job runs here; any
     *     other says that it never ran here and never will
     */
    void take() throws Problem, InterruptedException;

    /**
     * Returns when the job runs without lacking anything, and the target needs nothing more of the
     * source; all late pages were given to the sink before. After take.
     *
     * @throws Problem if it lacks something; the job runs there in any case
     */
    void fill() throws Problem, InterruptedException;

    /** The source has ended the job on its side and will not ask what became of it. */
    void done() throws Problem, InterruptedException;

    /** Removes all that prepare and load made; the job stays where it was. */
    void discard() throws Problem, InterruptedException;

    /**
     * What the target did so far; empty if it does not tell, which is no fault. At any time, also
     * more than once.
     */
    Optional<Account> account() throws InterruptedException;

    /** Lets go of the target; discards if neither take nor discard came. */
    @Override
    void close();
}
