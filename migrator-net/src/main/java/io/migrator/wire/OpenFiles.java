package io.migrator.wire;

import java.util.HashMap;
import java.util.Map;

/** The files of one direction between their FILE_OPEN and FILE_END; refuses what does not fit. */
final class OpenFiles {

    private static final class Extent {
        long endBytes;
    }

    private final Map<Integer, Extent> byId = new HashMap<>();

    void open(int id, long at) throws MalformedStreamException {
        if (byId.size() >= WireFormat.MAX_OPEN_FILES) {
            throw new MalformedStreamException("too many open files", at);
        }
        if (byId.putIfAbsent(id, new Extent()) != null) {
            throw new MalformedStreamException("file " + id + " is open already", at);
        }
    }

    void data(int id, long endBytes, long at) throws MalformedStreamException {
        Extent extent = byId.get(id);
        if (extent == null) {
            throw new MalformedStreamException("data for file " + id + " which is not open", at);
        }
        extent.endBytes = Math.max(extent.endBytes, endBytes);
    }

    void end(int id, long lengthBytes, long at) throws MalformedStreamException {
        Extent extent = byId.remove(id);
        if (extent == null) {
            throw new MalformedStreamException("end of file " + id + " which is not open", at);
        }
        if (lengthBytes < extent.endBytes) {
            throw new MalformedStreamException(
                    "file %d ends at %d but has data up to %d"
                            .formatted(id, lengthBytes, extent.endBytes),
                    at);
        }
    }

    void allEnded(long at) throws MalformedStreamException {
        if (!byId.isEmpty()) {
            throw new MalformedStreamException(
                    "the stream ends with " + byId.size() + " files unfinished", at);
        }
    }
}
