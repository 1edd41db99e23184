package io.migrator.fault;

import io.migrator.problem.Problem;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * The steps of a migration at which a fault can be armed, in their order; {@code SOURCE_} points
 * are reached by the migrating side, {@code TARGET_} points by the receiver. The product calls
 * {@link #reached} there, which does nothing unless this is a lab's node and MIGRATOR_FAULT is set.
 */
public enum FaultPoint {
    SOURCE_CHECKED("the checks are through, nothing was touched"),
    SOURCE_PREPARED("the target answered that it is prepared"),
    SOURCE_COPYING("a pre-copy round is sent, the job runs"),
    SOURCE_DUMPING("criu holds the processes and is about to dump them"),
    SOURCE_HELD("criu is at post-dump, the job is not sealed yet"),
    SOURCE_SEALED("the job is sealed"),
    SOURCE_IMAGES_SENT("the images are sent, restoring is not asked for yet"),
    SOURCE_PAGING("half of the memory is sent"),
    SOURCE_LOADED("the target said LOADED, nothing is granted"),
    SOURCE_GRANTING("the journal says GRANTED, the message is not sent"),
    SOURCE_GRANTED("the message GRANT is sent, no answer is read"),
    SOURCE_TAKEN("the target said RUNNING, the old processes are not killed yet"),
    SOURCE_FILLING("half of the memory is sent that comes late, the job runs on the target"),
    SOURCE_GONE("the old processes are dead, the journal says GONE, nothing is cleaned"),

    TARGET_PREPARING("the journal is written, the empty instance is not started"),
    TARGET_PREPARED("the empty instance and criu wait, the answer is not sent"),
    TARGET_RESTORED("criu is at post-restore, the memory is coming"),
    TARGET_LOADED("all memory is there, the answer is not sent"),
    TARGET_TAKING("GRANT came, the journal does not say TAKEN yet"),
    TARGET_TAKEN("the journal says TAKEN, criu was not answered"),
    TARGET_RESUMING("criu is at pre-resume, the journal still says TAKEN"),
    TARGET_RUNNING("the journal says RUNNING, criu was not answered"),
    TARGET_ANSWERED("the source was told, nothing is cleaned"),
    TARGET_FILLING("all memory that came late is there, the journal says FILLING");

    private static final String VARIABLE = "MIGRATOR_FAULT";

    /** Only the lab's nodes have it. */
    private static final Path LAB_NODE = Path.of("/etc/migrator-node");

    private static final boolean ARMED = System.getenv(VARIABLE) != null && Files.exists(LAB_NODE);

    private final String text;
    private final String description;

    FaultPoint(String description) {
        this.text = name().toLowerCase(Locale.ROOT).replace('_', '-');
        this.description = description;
    }

    /** The point of that name. */
    public static Optional<FaultPoint> of(String text) {
        return Arrays.stream(values()).filter(point -> point.text.equals(text)).findFirst();
    }

    /** Its name as it is typed, such as {@code source-held}. */
    public String text() {
        return text;
    }

    /** Where the migration is at this point, in one line. */
    public String description() {
        return description;
    }

    /** Returns true if the migrating side reaches it, false if the receiver does. */
    public boolean ofSource() {
        return name().startsWith("SOURCE_");
    }

    /** Returns true if only a hybrid migration comes to it. */
    public boolean ofHybrid() {
        return this == SOURCE_FILLING || this == TARGET_FILLING;
    }

    /**
     * Said by the product when it gets here: whatever is armed at this point happens, the first
     * time only.
     *
     * @throws Problem if the armed action is to fail, or MIGRATOR_FAULT is not understood
     */
    public void reached() throws Problem, InterruptedException {
        if (ARMED) {
            Strike.ofThisProcess(System.getenv(VARIABLE)).at(this);
        }
    }
}
