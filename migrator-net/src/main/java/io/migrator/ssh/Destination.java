package io.migrator.ssh;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.util.regex.Pattern;

/**
 * Whom to connect to, as a person wrote it: {@code [USER@]NODE}. The node may be a name that only
 * the SSH configuration knows.
 *
 * @param user null: as the SSH configuration says, else the caller's own name
 */
public record Destination(@Nullable String user, String host) {

    /** Neither may begin with a dash, or the ssh program would take it for an option. */
    private static final Pattern USER = Pattern.compile("[A-Za-z0-9._][A-Za-z0-9._@+-]*");

    private static final Pattern HOST =
            Pattern.compile(
                    "[A-Za-z0-9_][A-Za-z0-9._-]*|(?=[^:]*:[^:]*:)[0-9A-Fa-f:.]+(%[a-z0-9]+)?");

    public Destination {
        if (!HOST.matcher(host).matches() || (user != null && !USER.matcher(user).matches())) {
            throw new IllegalArgumentException("not a destination: " + user + "@" + host);
        }
    }

    /** Reads {@code [USER@]NODE}. The user name may hold an @ itself. */
    public static Destination parse(String text) throws Problem {
        int at = text.lastIndexOf('@');
        try {
            return new Destination(at < 0 ? null : text.substring(0, at), text.substring(at + 1));
        } catch (IllegalArgumentException e) {
            throw Problem.usage("'" + text + "' does not name a node")
                    .because("a node is written [USER@]NODE, with letters, digits, dots and dashes")
                    .tryThis("write it as you would after 'ssh'")
                    .causedBy(e);
        }
    }

    /** The form that {@link #parse} reads and the ssh program takes. */
    @Override
    public String toString() {
        return user == null ? host : user + "@" + host;
    }
}
