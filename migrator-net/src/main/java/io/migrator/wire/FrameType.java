package io.migrator.wire;

import java.util.Optional;

/** What a frame is, as its first byte says. Codes 16 to 31 are kept free for memory pages. */
enum FrameType {
    CONTROL(1),
    FILE_OPEN(2),
    FILE_DATA(3),
    FILE_END(4),
    END(5);

    private static final FrameType[] ALL = values();

    private final int code;

    FrameType(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    static Optional<FrameType> ofCode(int code) {
        return code >= 1 && code <= ALL.length ? Optional.of(ALL[code - 1]) : Optional.empty();
    }
}
