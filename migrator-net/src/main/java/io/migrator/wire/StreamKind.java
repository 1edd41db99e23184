package io.migrator.wire;

/** What a stream of frames is for; each kind begins with letters of its own and its version. */
public enum StreamKind {
    /** One direction between two nodes. */
    WIRE(WireFormat.MAGIC, WireFormat.PROTOCOL_VERSION),
    /** A file that keeps a job (docs/archive.md). */
    ARCHIVE(WireFormat.ARCHIVE_MAGIC, WireFormat.ARCHIVE_VERSION);

    private final int magic;
    private final int version;

    StreamKind(int magic, int version) {
        this.magic = magic;
        this.version = version;
    }

    int magic() {
        return magic;
    }

    int version() {
        return version;
    }
}
