package io.migrator.network;

import io.migrator.instance.Instance;
import io.migrator.linux.Command;
import io.migrator.linux.Proc;
import io.migrator.linux.ReadyCommand;
import io.migrator.linux.User;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A network namespace, and how programs are started in it. Any thread.
 *
 * @param process that is in it
 * @param own true if it is another one than ours
 * @param ofUser true if it belongs to a user namespace that we made: its maker has all rights in
 *     it, and may start programs with them
 */
public record NetSpace(Proc process, boolean own, boolean ofUser) {
    /** Of nsenter; older ones lack it. */
    private static final String KEEP = "--keep-caps";

    private static final Duration DEADLINE = Duration.ofSeconds(10);

    /** Whether nsenter has it; null until that was asked. */
    private static volatile @Nullable Boolean keeps;

    /** Ours, which is the node's. */
    public static NetSpace here() {
        return new NetSpace(Proc.self(), false, false);
    }

    /** That of an instance; ours if it is gone, for one of its own is gone with it. */
    public static NetSpace of(@Nullable Instance instance) throws Problem {
        if (instance == null) {
            return here();
        }
        Proc appinit = new Proc(instance.appinit());
        try {
            boolean own = !appinit.namespace("net").equals(Proc.self().namespace("net"));
            boolean ofUser = own && instance.mode() == Instance.Mode.USER_NAMESPACE && canKeep();
            return new NetSpace(appinit, own, ofUser);
        } catch (AccessDeniedException e) {
            // made by the setuid starter: its owner may not look at it
            return new NetSpace(appinit, instance.start().hasOwnNetwork(), false);
        } catch (IOException e) {
            throw Problem.failed("the network of the instance is not seen").because(e.toString());
        }
    }

    /** Whether a program can be started with the rights that its user namespace gives. */
    private static boolean canKeep() throws Problem {
        Boolean known = keeps;
        if (known != null) {
            return known;
        }
        try {
            boolean can =
                    Command.of(List.of("nsenter", "--help")).run(DEADLINE).out().contains(KEEP);
            keeps = can;
            return can;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private List<String> argv(List<String> words) {
        List<String> argv = new ArrayList<>();
        if (own) {
            argv.addAll(List.of("nsenter", "--net=" + process.file("ns/net")));
        }
        if (ofUser) {
            argv.addAll(
                    List.of("--user=" + process.file("ns/user"), "--preserve-credentials", KEEP));
        }
        argv.addAll(words);
        return argv;
    }

    /** Whether this user may start programs there. */
    public boolean isOpen() {
        return !own || ofUser || User.isRoot();
    }

    /** Runs a program there. */
    public Command.Result run(String... words) throws Problem, InterruptedException {
        return Command.of(argv(List.of(words))).apart().run(DEADLINE);
    }

    /** Starts a program there that waits for its input. */
    public ReadyCommand ready(String... words) throws Problem {
        return ReadyCommand.start(argv(List.of(words)));
    }

    /** Gives a program there its whole input, and waits for its end. */
    public void feed(String what, String input, String... words)
            throws Problem, InterruptedException {
        Command.of(argv(List.of(words))).apart().reading(input).run(DEADLINE).orFail(what);
    }
}
