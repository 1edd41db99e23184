package io.migrator.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * One message of the stream.
 *
 * <p>Ownership of buffers: a frame given to {@link FrameWriter#write} is read between position and
 * limit before that call returns, and its position and limit are left as they were. A frame that
 * {@link FrameReader#next} returned is valid until the next call of {@code next}.
 */
public sealed interface Frame {

    /**
     * A control message.
     *
     * @param json UTF-8, 1 byte to 1 MiB
     */
    record Control(ByteBuffer json) implements Frame {

        /** A message of this text. */
        public static Control of(String json) {
            return new Control(ByteBuffer.wrap(json.getBytes(StandardCharsets.UTF_8)));
        }

        /** The message as text: a copy that stays valid. */
        public String text() {
            return StandardCharsets.UTF_8.decode(json.duplicate()).toString();
        }
    }

    /**
     * From here until its {@link FileEnd}, {@code id} means the file of this name.
     *
     * @param id chosen by the writer; free again after FileEnd
     * @param name 1 to 255 of the characters A-Z a-z 0-9 . _ - and not starting with a dot, since
     *     it becomes a file name at the peer
     */
    record FileOpen(int id, String name) implements Frame {
        public FileOpen {
            if (!isSafeName(name)) {
                throw new IllegalArgumentException("not a safe file name: " + name);
            }
        }

        /** Whether the name may cross the wire. */
        public static boolean isSafeName(String name) {
            return !name.isEmpty()
                    && name.length() <= WireFormat.MAX_NAME_BYTES
                    && name.charAt(0) != '.'
                    && name.chars().allMatch(FileOpen::isSafeCharacter);
        }

        private static boolean isSafeCharacter(int c) {
            return (c >= 'A' && c <= 'Z')
                    || (c >= 'a' && c <= 'z')
                    || (c >= '0' && c <= '9')
                    || c == '.'
                    || c == '_'
                    || c == '-';
        }
    }

    /**
     * A part of an open file. Parts may come in any order of offset and leave holes.
     *
     * @param offset of the first byte, in bytes from the start of the file
     * @param data the bytes, at least one; a writer sends more than 1 MiB as several frames
     */
    record FileData(int id, long offset, ByteBuffer data) implements Frame {}

    /**
     * The file is complete.
     *
     * @param length of the file in bytes; not less than the end of any part of it
     */
    record FileEnd(int id, long length) implements Frame {}

    /**
     * Pages of memory of a restored process.
     *
     * @param pid of the process inside the instance
     * @param address of the first byte, a multiple of 4096
     * @param data whole pages, 1 to 256 of them
     */
    record Pages(int pid, long address, ByteBuffer data) implements Frame {}

    /**
     * Pages that do not lie side by side.
     *
     * @param pid of the process inside the instance
     * @param places where they lie, 2 to 1024; with 12 bytes for each no more than 1 MiB
     * @param data of these places, one after the other
     */
    record ScatteredPages(int pid, List<Place> places, ByteBuffer data) implements Frame {}

    /**
     * Pages that hold nothing but zeros.
     *
     * @param pid of the process inside the instance
     * @param address of the first byte, a multiple of 4096
     * @param bytes a multiple of 4096, not 0
     */
    record ZeroPages(int pid, long address, long bytes) implements Frame {}

    /**
     * A place of scattered pages.
     *
     * @param address of the first byte, a multiple of 4096
     * @param bytes a multiple of 4096, not 0
     */
    record Place(long address, int bytes) {}

    /**
     * Bytes without a meaning, never compressed. They make both ends compile what they will need
     * when the payload stands still.
     *
     * @param data 1 byte to 1 MiB
     */
    record Padding(ByteBuffer data) implements Frame {}

    /** The last frame of a direction. A stream without it was cut off. */
    record End() implements Frame {}
}
