package io.migrator.remote;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.handover.SourceJournal;
import io.migrator.handover.Token;
import io.migrator.memory.PageFeed;
import io.migrator.memory.PostCopy;
import io.migrator.migration.FarNode;
import io.migrator.problem.Problem;
import io.migrator.ssh.RemoteProcess;
import io.migrator.ssh.Transport;
import io.migrator.wire.Compression;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/**
 * Another node asked by a connection of its own for each question: {@code migrator receive
 * --status}, {@code --refuse} or {@code --done} is run there, and prints its answer as JSON.
 *
 * @param address what a journal keeps of it
 * @param dial makes the connection
 */
public record RemoteNode(SourceJournal.Far address, Dial dial) implements FarNode {
    /** How to reach the node. */
    @FunctionalInterface
    public interface Dial {
        /** A new connection. */
        Transport connect() throws Problem, InterruptedException;
    }

    /** Longer than a target takes to end a receiver and what it made. */
    private static final Duration ANSWER = Duration.ofSeconds(90);

    private static final int ANSWER_MAX_BYTES = 4096;
    private static final ObjectMapper JSON = new ObjectMapper();

    @Override
    public Answer status(String id, Token token) throws Problem, InterruptedException {
        return asked("--status", id, token);
    }

    @Override
    public Answer refuse(String id, Token token) throws Problem, InterruptedException {
        return asked("--refuse", id, token);
    }

    @Override
    public void done(String id, Token token) throws Problem, InterruptedException {
        asked("--done", id, token);
    }

    @Override
    public void fill(String id, Token token, PostCopy memory, PageFeed.Progress progress)
            throws Problem, InterruptedException {
        try (Transport link = dial.connect();
                RemoteTarget target =
                        RemoteTarget.start(
                                address.to(),
                                List.of(address.program()),
                                link,
                                this,
                                Compression.AUTO,
                                ANSWER)) {
            target.wanting(memory::wanted);
            target.attach(id, token);
            memory.send(target.sink(), progress);
            target.fill();
        }
    }

    private Answer asked(String question, String id, Token token)
            throws Problem, InterruptedException {
        List<String> command =
                List.of(address.program(), "receive", question, id, "--token", token.text());
        try (Transport link = dial.connect();
                RemoteProcess process = link.start(command)) {
            process.stdin().close();
            if (process.waitFor(ANSWER).orElse(RemoteProcess.NO_STATUS) != 0) {
                throw new IOException(process.stderrTail().strip().replace('\n', ';'));
            }
            byte[] bytes = process.stdout().readNBytes(ANSWER_MAX_BYTES);
            Answer answer = JSON.readValue(new String(bytes, StandardCharsets.UTF_8), Answer.class);
            if (answer == null) {
                throw unanswered("it answered nothing");
            }
            return answer;
        } catch (JacksonException e) {
            throw unanswered("it answered nonsense").causedBy(e);
        } catch (IOException e) {
            throw unanswered(String.valueOf(e.getMessage())).causedBy(e);
        }
    }

    private Problem unanswered(String because) {
        return Problem.failed(address.to() + " does not say what became of the job")
                .because(because);
    }
}
