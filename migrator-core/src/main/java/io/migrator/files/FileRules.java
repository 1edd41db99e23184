package io.migrator.files;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a user wants to become of single files: lines such as {@code carry /scratch/job}, the first
 * that fits counts. A path is as the job calls it, and a pattern as a shell has them ({@code *},
 * {@code **}, {@code ?}, {@code [..]}); it fits a directory and all that is in it.
 */
public record FileRules(List<Rule> all) {
    /** None. */
    public static final FileRules NONE = new FileRules(List.of());

    /** What becomes of files. */
    public enum Act {
        /** They go along, be they in use or not. */
        CARRY,
        /** They are on the target, or the job is refused. */
        SHARED,
        /** They stay, but for those in use. */
        LEAVE,
        /** A job that uses one is refused. */
        REFUSE
    }

    /**
     * A line.
     *
     * @param pattern absolute
     */
    public record Rule(Act act, String pattern, PathMatcher fits) {
        static Rule of(String line) {
            String[] words = line.strip().split("\\s+", 2);
            if (words.length != 2 || !words[1].startsWith("/")) {
                throw new IllegalArgumentException("an act and an absolute path are needed");
            }
            String pattern = words[1].replaceFirst("(?<=.)/+$", "");
            Rule rule =
                    new Rule(
                            Act.valueOf(words[0].toUpperCase(Locale.ROOT)),
                            pattern,
                            FileSystems.getDefault().getPathMatcher("glob:" + pattern));
            if (rule.act == Act.CARRY && rule.directory().isEmpty()) {
                throw new IllegalArgumentException(
                        "of what is carried only the last part may be a pattern");
            }
            return rule;
        }

        /** The directory in which is what it names; empty if that cannot be told from it. */
        Optional<Path> directory() {
            Path parent = Path.of(pattern).getParent();
            return Optional.ofNullable(parent)
                    .filter(each ->
                            each.toString().chars().noneMatch(c -> "*?[{\\".indexOf(c) >= 0));
        }

        boolean fitsWith(Path path) {
            Path at = path;
            while (at != null) {
                if (fits.matches(at)) {
                    return true;
                }
                at = at.getParent();
            }
            return false;
        }
    }

    /** Reads a file of rules; lines that begin with {@code #} say nothing. */
    public static FileRules read(Path file) throws Problem {
        List<Rule> rules = new ArrayList<>();
        String line = "";
        try {
            for (String each : Files.readAllLines(file)) {
                line = each;
                if (!each.isBlank() && !each.strip().startsWith("#")) {
                    rules.add(Rule.of(each));
                }
            }
            return new FileRules(List.copyOf(rules));
        } catch (IOException e) {
            throw Problem.usage("the rules in " + file + " cannot be read").because(e.toString());
        } catch (IllegalArgumentException e) {
            throw Problem.usage("a rule in %s is not understood: %s".formatted(file, line.strip()))
                    .because(e.getMessage())
                    .tryThis("lines such as: carry /scratch/job (or shared, leave, refuse)");
        }
    }

    /** Those by which files go along that are not in use. */
    List<Rule> carrying() {
        return all.stream().filter(each -> each.act == Act.CARRY).toList();
    }

    /** What is said of a path of the job. */
    public Optional<Act> of(String path) {
        Path asked = Path.of(path);
        return all.stream().filter(each -> each.fitsWith(asked)).map(Rule::act).findFirst();
    }
}
