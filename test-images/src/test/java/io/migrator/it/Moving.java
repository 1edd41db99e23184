package io.migrator.it;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * What is done beside the test's thread: a migration under way. Each on a thread of its own: the
 * common pool has but one where there are two processors.
 */
final class Moving {
    private Moving() {}

    static <T> CompletableFuture<T> start(Callable<T> call) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return call.call();
                    } catch (Exception e) {
                        throw new CompletionException(e);
                    }
                },
                task -> Thread.ofPlatform().start(task));
    }
}
