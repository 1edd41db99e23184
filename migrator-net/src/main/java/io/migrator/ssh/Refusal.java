package io.migrator.ssh;

import io.migrator.problem.Problem;

import java.util.List;

/** The ways in which connecting fails, in the words both transports use. */
final class Refusal {

    private Refusal() {}

    static Problem unknownNode(String host, String because) {
        return Problem.refused("no node is called " + host)
                .because(because)
                .tryThis("check the spelling, or give the node's address");
    }

    static Problem unreachable(String host, String because) {
        return Problem.refused("cannot reach " + host)
                .because(because)
                .tryThis("see whether the node is up and 'ssh " + host + " true' works");
    }

    static Problem unknownHostKey(String host, String because) {
        return Problem.refused("the host key of " + host + " is not known here")
                .because(because)
                .tryThis(
                        "run 'ssh %s true', compare the fingerprint it shows with the one the site publishes, and answer yes only if they agree"
                                .formatted(host));
    }

    static Problem changedHostKey(String host, String because) {
        return Problem.refused(
                        "the host key of %s HAS CHANGED: another machine may be posing as it"
                                .formatted(host))
                .because(because)
                .tryThis(
                        "ask the site first; only if it confirms the new key: 'ssh-keygen -R %s', then 'ssh %s true'"
                                .formatted(host, host));
    }

    static Problem revokedHostKey(String host, String because) {
        return Problem.refused("the host key of " + host + " was revoked: it may be stolen")
                .because(because)
                .tryThis("ask the site; do not connect");
    }

    static Problem loginRefused(Destination to, List<String> tried) {
        return Problem.refused(to + " does not let you log in")
                .because(tried.isEmpty() ? "no key to log in with" : String.join("; ", tried))
                .tryThis(
                        "make 'ssh -o BatchMode=yes %s true' work: load a key with ssh-add, or let the node accept one of these"
                                .formatted(to));
    }

    static Problem cannotFollow(Destination to, List<String> obstacles) {
        return Problem.refused("jsch cannot follow the ssh configuration for " + to)
                .because(String.join("; ", obstacles))
                .tryThis("use --transport=ssh");
    }

    static Problem noCommonAlgorithm(String host, String because) {
        return Problem.refused("jsch and " + host + " have no common algorithm")
                .because(because)
                .tryThis("use --transport=ssh");
    }

    static Problem noCommands(Destination to, String because) {
        return Problem.refused(to + " lets you log in but runs no commands for you")
                .because(because)
                .tryThis("see whether 'ssh -o BatchMode=yes " + to + " true' works");
    }
}
