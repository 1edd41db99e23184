package io.migrator.archive;

import io.migrator.handover.Handover;
import io.migrator.handover.SourceJournal;
import io.migrator.handover.Token;
import io.migrator.linux.Boot;
import io.migrator.memory.PageFeed;
import io.migrator.memory.PostCopy;
import io.migrator.migration.FarNode;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What became of an archive whose writer is dead: it is whole and has its name, or it is nothing.
 *
 * @param file absolute
 */
public record ArchiveNode(Path file) implements FarNode {
    @Override
    public SourceJournal.Far address() {
        return SourceJournal.Far.ofFile(file);
    }

    @Override
    public Answer status(String id, Token token) throws Problem {
        if (isOf(token)) {
            return answer(Handover.Target.RUNNING);
        }
        boolean begun = Files.exists(ArchiveFile.part(file, id));
        return answer(begun ? Handover.Target.PREPARED : Handover.Target.NONE);
    }

    /** The archive of a migration bears its token. */
    private boolean isOf(Token token) {
        try {
            return Files.exists(file) && new ArchiveReader(file).head().id().equals(token);
        } catch (Problem e) {
            return false; // another file
        }
    }

    private static Answer answer(Handover.Target state) throws Problem {
        try {
            return new Answer(state, Boot.id());
        } catch (IOException e) {
            throw Problem.failed("the boot id of this node is not known").because(e.toString());
        }
    }

    @Override
    public Answer refuse(String id, Token token) throws Problem {
        if (isOf(token)) {
            return answer(Handover.Target.RUNNING);
        }
        done(id, token);
        return answer(Handover.Target.REFUSED);
    }

    @Override
    public void fill(String id, Token token, PostCopy memory, PageFeed.Progress progress) {
        throw new UnsupportedOperationException("an archive keeps all of the memory");
    }

    @Override
    public void done(String id, Token token) throws Problem {
        try {
            Files.deleteIfExists(ArchiveFile.part(file, id));
        } catch (IOException e) {
            throw Problem.failed("what was written of " + file + " could not be removed")
                    .because(e.toString());
        }
    }
}
