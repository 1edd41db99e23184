package io.migrator.wire;

import java.io.IOException;

/** What arrived is not what {@link WireFormat} describes; nothing after it can be believed. */
public final class MalformedStreamException extends IOException {

    private final long offset;

    MalformedStreamException(String what, long offset) {
        super(what + ", at byte " + offset + " of the stream");
        this.offset = offset;
    }

    /** Where the faulty preamble or frame begins, or where the stream broke off, in bytes. */
    public long offset() {
        return offset;
    }
}
