package io.migrator.ssh;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One line for the login shell of the far node, from words that must arrive as they are. SSH knows
 * only lines; single quotes mean the same to sh, bash, zsh and csh.
 */
public final class ShellWords {

    /** An equals sign is plain in an option only: elsewhere a shell may see an assignment. */
    private static final Pattern PLAIN =
            Pattern.compile("[A-Za-z0-9_@+:,./-]+|--[a-z-]+=[A-Za-z0-9_@+:,./-]*");

    private ShellWords() {}

    /** The line. */
    public static String line(List<String> words) {
        if (words.isEmpty()) {
            throw new IllegalArgumentException("no command");
        }
        return words.stream().map(ShellWords::quoted).collect(Collectors.joining(" "));
    }

    private static String quoted(String word) {
        if (word.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a command word cannot hold a zero byte");
        }
        return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
