package io.migrator.instance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InstancesTest {
    /** A name becomes a directory of ours and an argument of Apptainer. */
    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", ".hidden", "-n", "a/b", "../x", "a b", "a\nb", "ä"})
    void namesThatAreNoNamesAreRefused(String name) {
        Problem problem = assertThrows(Problem.class, () -> Instances.ofThisUser().find(name));
        assertEquals(ExitCode.USAGE, problem.exitCode());
    }
}
