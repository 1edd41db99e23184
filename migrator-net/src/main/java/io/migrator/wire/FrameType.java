package io.migrator.wire;

import java.util.Optional;
import java.util.stream.Stream;

/** What a frame is, as its first byte says. */
enum FrameType {
    CONTROL(1),
    FILE_OPEN(2),
    FILE_DATA(3),
    FILE_END(4),
    END(5),
    PADDING(6),
    PAGES(16),
    SCATTERED_PAGES(17),
    ZERO_PAGES(18);

    private final int code;

    FrameType(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    /** Whether it may not wait in a buffer: after files and pages a control message follows. */
    boolean isUrgent() {
        return this == CONTROL || this == END;
    }

    /** Payloads that may be compressed. */
    boolean isCompressible() {
        return this == FILE_DATA || this == PAGES || this == SCATTERED_PAGES;
    }

    static Optional<FrameType> ofCode(int code) {
        return Stream.of(values()).filter(type -> type.code == code).findFirst();
    }
}
