package io.migrator.files;

import io.migrator.instance.Instance;
import io.migrator.instance.Instances;
import io.migrator.linux.FileState;
import io.migrator.linux.Proc;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;

/**
 * The writable layer over an instance's root, told apart from its image. What overlayfs copies or
 * makes there is changed then, and its directories with it (Documentation/filesystems/overlayfs),
 * so in one that is as old as the instance times tell it; an older one can be looked into.
 *
 * @param since when the instance was started; a little earlier, as that is not exact
 * @param upper its directory on the node; null if it is in memory, where none leads to it
 */
public record Layer(Instant since, @Nullable Path upper) {
    /** Times of starting are told in whole seconds. */
    private static final int SLACK_SECONDS = 2;

    /** Apptainer writes its record when all is made; of some seconds this is not to tell. */
    private static final int RECORD_SECONDS = 10;

    private static final Path TOP = Path.of("/");

    /** If the clock was set since, what the kernel tells is not what files were given. */
    static Layer of(Instance instance) throws IOException, Problem {
        long seconds = new Proc(instance.appinit()).startedAtSeconds();
        Instant told = Instant.ofEpochSecond(seconds - SLACK_SECONDS);
        Instant recorded =
                Instances.ofThisUser().recordedAt(instance.name()).minusSeconds(RECORD_SECONDS);
        return new Layer(
                told.isBefore(recorded) ? told : recorded,
                Overlay.of(instance.start().arguments()).map(Overlay::upper).orElse(null));
    }

    /** Whether it has a file, rather than the image. */
    boolean has(Path path, FileState state) throws IOException {
        return !state.changed().isBefore(since)
                || (upper != null
                        && FileState.ofName(upper.resolve(TOP.relativize(path))).isPresent());
    }
}
