package io.migrator.migration;

import io.migrator.check.Finding;
import io.migrator.linux.KernelKeys;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.util.List;

/**
 * Keys that the kernel keeps for the job's owner. Which of them a process of the job uses nobody
 * can see from outside; on the target it has the keyring of who restored it.
 */
final class KeyChecks {
    private static final int MOST_NAMES = 3;

    private KeyChecks() {}

    static List<Finding> ofThisUser() throws Problem {
        List<String> names;
        try {
            names = KernelKeys.ofThisUser();
        } catch (IOException e) {
            throw Problem.failed("the kernel's keys cannot be read").because(e.toString());
        }
        if (names.isEmpty()) {
            return List.of();
        }
        String more = names.size() > MOST_NAMES ? ", ..." : "";
        List<String> some = names.subList(0, Math.min(MOST_NAMES, names.size()));
        return List.of(
                Finding.warning(
                        "keys",
                        "the kernel keeps %d keys of yours on this node: %s%s"
                                .formatted(names.size(), String.join(", ", some), more),
                        "keys (keyctl: tickets of Kerberos or AFS, say) do not go along",
                        "nothing need be done if the job does not use them, or gets new ones"));
    }
}
