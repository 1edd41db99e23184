package io.migrator.archive;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.migrator.problem.Problem;
import io.migrator.wire.Frame;
import io.migrator.wire.FrameReader;
import io.migrator.wire.MalformedStreamException;
import io.migrator.wire.StreamKind;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/** Goes through an archive from its head to its digest. */
final class ArchiveScan {
    /** What is done with what is read. */
    interface Visitor {
        default void entry(Entry entry) throws IOException, Problem, InterruptedException {}

        void frame(Frame frame) throws IOException, Problem, InterruptedException;
    }

    private final Digested digested;
    private final FrameReader in;
    private boolean digestSeen;

    private ArchiveScan(FileChannel channel) {
        this.digested = new Digested(channel, ArchiveTarget.sha256());
        this.in = new FrameReader(digested, StreamKind.ARCHIVE);
    }

    /**
     * Reads all of it.
     *
     * @throws IOException if it is not as it must be; its text tells where
     */
    static ArchiveHead read(Path file, Visitor visitor)
            throws IOException, Problem, InterruptedException {
        try (FileChannel channel = FileChannel.open(file)) {
            return new ArchiveScan(channel).read(visitor);
        } catch (ClosedByInterruptException e) {
            Thread.interrupted();
            throw new InterruptedException();
        }
    }

    /** Reads the beginning only. */
    static ArchiveHead head(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            return new ArchiveScan(channel).head();
        }
    }

    private ArchiveHead head() throws IOException {
        if (in.next() instanceof Frame.Control control) {
            Entry entry = Entry.of(control);
            if (entry.kind() == Entry.Kind.HEAD) {
                return entry.as(ArchiveHead.class);
            }
        }
        throw new IOException("it does not begin with a head");
    }

    private ArchiveHead read(Visitor visitor) throws IOException, Problem, InterruptedException {
        ArchiveHead head = head();
        while (true) {
            long at = in.receivedBytes();
            try {
                MessageDigest before = digested.soFar();
                Frame frame = in.next();
                if (frame instanceof Frame.End) {
                    end();
                    return head;
                }
                visit(frame, before, visitor);
            } catch (MalformedStreamException | ClosedByInterruptException e) {
                throw e;
            } catch (JsonProcessingException e) {
                throw new IOException(e.getOriginalMessage() + ", at byte " + at, e);
            } catch (IOException | IllegalArgumentException e) {
                throw new IOException(e.getMessage() + ", at byte " + at, e);
            }
        }
    }

    private void visit(Frame frame, MessageDigest before, Visitor visitor)
            throws IOException, Problem, InterruptedException {
        if (digestSeen) {
            throw new IOException("something follows its digest");
        }
        if (!(frame instanceof Frame.Control control)) {
            visitor.frame(frame);
            return;
        }
        Entry entry = Entry.of(control);
        if (entry.kind() == Entry.Kind.DIGEST) {
            digestSeen = true;
            if (!entry.as(String.class).equals(HexFormat.of().formatHex(before.digest()))) {
                throw new IOException("its digest is not that of its contents");
            }
        }
        visitor.entry(entry);
    }

    private void end() throws IOException {
        in.expectClosed();
        if (!digestSeen) {
            throw new IOException("it has no digest");
        }
    }
}
