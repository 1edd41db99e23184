package io.migrator.archive;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;

import io.migrator.handover.Token;

import org.jspecify.annotations.Nullable;

/**
 * What an archive begins with.
 *
 * @param id of this archive, no other has it
 * @param parent what it builds on; null if it has all of the job
 * @param millis when it was begun, since 1970
 * @param node on which the job ran
 * @param instance name
 * @param program that made the archive, with its version
 */
public record ArchiveHead(
        Token id,
        @JsonSetter(nulls = Nulls.SET) @Nullable Parent parent,
        long millis,
        String node,
        String instance,
        String program) {
    /**
     * The archive made before, in the same directory.
     *
     * @param file name
     * @param id of it
     */
    public record Parent(String file, Token id) {
        /** What comes from a file is to lead nowhere else. */
        public Parent {
            if (id == null || file == null || file.isEmpty() || file.startsWith(".")) {
                throw new IllegalArgumentException("not the name of an archive");
            }
            if (file.chars().anyMatch(c -> c == '/' || Character.isISOControl(c))) {
                throw new IllegalArgumentException("not the name of an archive");
            }
        }
    }

    /** What comes from a file may lack a part. */
    public ArchiveHead {
        if (id == null || node == null || instance == null || program == null) {
            throw new IllegalArgumentException("a part of the head is missing");
        }
    }
}
