package io.migrator.it;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** What is done beside the test's thread: a migration under way. */
final class Moving {
    private Moving() {}

    static <T> CompletableFuture<T> start(Callable<T> call) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return call.call();
            } catch (Exception e) {
                throw new CompletionException(e);
            }
        });
    }
}
