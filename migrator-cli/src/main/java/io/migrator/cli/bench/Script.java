package io.migrator.cli.bench;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** A script of a baseline, which is to be read by who doubts the figures. Immutable. */
record Script(Site site, String name) {
    /** Puts it where both nodes see it. */
    static Script at(Site site, String name) throws Problem {
        try (InputStream in = Script.class.getResourceAsStream(name)) {
            Files.copy(
                    Objects.requireNonNull(in, name),
                    site.directory().resolve(name),
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw Problem.failed("could not write " + name).because(e.toString());
        }
        return new Script(site, name);
    }

    /**
     * Runs it on a node; returns what it prints.
     *
     * @param medium directory for the images
     */
    String call(String node, String medium, List<String> arguments)
            throws Problem, InterruptedException {
        List<String> words =
                new ArrayList<>(
                        List.of("env", "MEDIUM=" + medium, "bash", site.inside() + "/" + name));
        words.addAll(arguments);
        return site.exec(node, words)
                .orFail(name + " " + arguments.getFirst() + " failed on " + node)
                .out()
                .strip();
    }
}
