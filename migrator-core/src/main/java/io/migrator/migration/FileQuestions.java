package io.migrator.migration;

import io.migrator.files.FileAnswer;
import io.migrator.files.FileClaim;
import io.migrator.files.FileClaims;
import io.migrator.files.UsedFile;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Asks a target which files of the job it has. One thread. */
record FileQuestions(Target target) {
    /** In a message. */
    static final int MOST_AT_ONCE = 500;

    /**
     * What is known of a file by then.
     *
     * @param dataBytes that would be carried
     */
    record Told(FileAnswer answer, long dataBytes) {
        FileAnswer.State state() {
            return answer.state();
        }
    }

    /**
     * Asks for files; of one that is gone by now there is no answer.
     *
     * @param read whether those that the job only reads are to be proved to be the very same, too
     */
    Map<UsedFile, Told> of(List<UsedFile> files, boolean read)
            throws Problem, InterruptedException, IOException {
        Map<UsedFile, Told> found = new LinkedHashMap<>();
        for (int from = 0; from < files.size(); from += MOST_AT_ONCE) {
            int to = Math.min(from + MOST_AT_ONCE, files.size());
            ask(files.subList(from, to), read, found);
        }
        return found;
    }

    private void ask(List<UsedFile> files, boolean read, Map<UsedFile, Told> found)
            throws Problem, InterruptedException, IOException {
        try (FileClaims claims = FileClaims.of(files, read)) {
            List<FileClaim> all = claims.all();
            List<FileAnswer> answers = target.files(all);
            if (answers.size() != all.size()) {
                throw Problem.failed("the target answered nonsense")
                        .because("it was asked for %d files".formatted(all.size()));
            }
            for (int i = 0; i < answers.size(); i++) {
                FileAnswer answer = all.get(i).settled(answers.get(i));
                found.put(claims.files().get(i), new Told(answer, all.get(i).dataBytes()));
            }
        }
    }

    /** What the target has in place of one; empty if it is gone by now. */
    FileAnswer.State of(UsedFile file) throws Problem, InterruptedException, IOException {
        return of(List.of(file), false).values().stream()
                .map(Told::state)
                .findFirst()
                .orElse(FileAnswer.State.ABSENT);
    }
}
