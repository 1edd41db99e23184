package io.migrator.build;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Skips the lab tests, and says why, when they are not run by root: a lab node needs it. */
public final class NeedsRoot implements ExecutionCondition {
    private static final String REASON =
            "lab tests skipped: they make network namespaces and mounts, so they need root"
                    + " (sudo mvn verify)";

    private static boolean told;

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        boolean labTest =
                context.getTestClass().filter(c -> c.getSimpleName().endsWith("IT")).isPresent();
        if (!labTest || uid() == 0) {
            return ConditionEvaluationResult.enabled("no lab needed, or root");
        }
        tell();
        return ConditionEvaluationResult.disabled(REASON);
    }

    private static synchronized void tell() {
        if (!told) {
            System.err.println(REASON);
            told = true;
        }
    }

    private static int uid() {
        try {
            return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
