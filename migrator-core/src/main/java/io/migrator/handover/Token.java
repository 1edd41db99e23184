package io.migrator.handover;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * The right to execute one job, as both nodes name it: 128 random bits. A node answers questions
 * about a migration only to who knows its token.
 *
 * @param text 32 hexadecimal digits
 */
public record Token(@JsonValue String text) {
    private static final Pattern FORM = Pattern.compile("[0-9a-f]{32}");
    private static final int BYTES = 16;

    /** Refuses what is not a token: it may come from a peer or a file. */
    @JsonCreator
    public Token {
        if (!FORM.matcher(text).matches()) {
            throw new IllegalArgumentException("not a token");
        }
    }

    /** A token that nobody has. */
    public static Token fresh() {
        byte[] bytes = new byte[BYTES];
        new SecureRandom().nextBytes(bytes);
        return new Token(HexFormat.of().formatHex(bytes));
    }
}
