package io.migrator.memory;

import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Makes directories on a tmpfs, as a spool is: elsewhere no file is as long as an address space.
 */
final class InMemory implements TempDirFactory {
    @Override
    public Path createTempDirectory(
            AnnotatedElementContext elementContext, ExtensionContext extensionContext)
            throws IOException {
        return Files.createTempDirectory(Path.of("/dev/shm"), "migrator-test");
    }
}
