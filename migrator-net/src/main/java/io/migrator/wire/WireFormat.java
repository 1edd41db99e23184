package io.migrator.wire;

/** The numbers of the wire format. docs/wire.md gives them in one table; change both or neither. */
final class WireFormat {

    /** The first four bytes of each direction: the letters MIGR. */
    static final int MAGIC = 0x4d49_4752;

    /** Both sides must speak the same version: there is no negotiation. */
    static final int PROTOCOL_VERSION = 11;

    /** The first four bytes of an archive: the letters MIGA. */
    static final int ARCHIVE_MAGIC = 0x4d49_4741;

    /** Of archives, which are read longer than a connection lasts: docs/archive.md. */
    static final int ARCHIVE_VERSION = 1;

    /** Magic (4), version (2), flags (2, zero). */
    static final int PREAMBLE_BYTES = 8;

    /** Fixed: a reader knows how much to read before it believes anything. */
    static final int HEADER_BYTES = 36;

    // Positions in the header, in bytes. All numbers are big-endian.
    static final int TYPE_AT = 0;
    static final int CODEC_AT = 1;
    static final int RESERVED_AT = 2;
    static final int SEQUENCE_AT = 4;
    static final int STORED_BYTES_AT = 8;
    static final int RAW_BYTES_AT = 12;
    static final int FILE_ID_AT = 16;
    static final int OFFSET_AT = 20;
    static final int PAYLOAD_CHECKSUM_AT = 28;
    static final int HEADER_CHECKSUM_AT = 32;

    /** The payload is stored as it is. */
    static final int CODEC_NONE = 0;

    /** The payload is one bare LZ4 block. */
    static final int CODEC_LZ4 = 1;

    /**
     * Most bytes a payload may have, before and after the codec. 1 MiB: larger blocks gain nothing
     * in LZ4 or SSH and make a control message wait longer behind a block.
     */
    static final int MAX_PAYLOAD_BYTES = 1 << 20;

    /** Addresses and lengths of pages are multiples of this. */
    static final int PAGE_BYTES = 4096;

    /** No page ends behind this. */
    static final long MAX_ADDRESS = 1L << 56;

    /** Of each place of scattered pages: its address (8) and its length (4). */
    static final int PLACE_BYTES = 12;

    /** Most places in a frame of scattered pages; in a fewer than two they are not scattered. */
    static final int MAX_PLACES = 1024;

    /** Most bytes in a file's name, which becomes a file name at the peer. */
    static final int MAX_NAME_BYTES = 255;

    /** Most files open at once in one direction; bounds what a reader must remember. */
    static final int MAX_OPEN_FILES = 4096;

    private WireFormat() {}
}
