/**
 * Own frames over one pair of byte streams, usually the standard input and output of a program that
 * SSH started on the far node.
 *
 * <p>In comes: control messages (JSON) and the contents of files, as {@link io.migrator.wire.Frame
 * Frame}s, from any number of threads. Out comes: the same frames, in the order written, on the
 * other side, by one thread. Both directions are independent streams of the same form.
 *
 * <p>{@link io.migrator.wire.FrameWriter FrameWriter} writes, {@link io.migrator.wire.FrameReader
 * FrameReader} reads and trusts nothing: whatever is not exactly as {@link
 * io.migrator.wire.WireFormat WireFormat} says is refused with a {@link
 * io.migrator.wire.MalformedStreamException MalformedStreamException} that tells the offset.
 * docs/wire.md is the specification.
 *
 * <p>Callers: {@code io.migrator.remote} on both nodes. Neither class opens or closes a stream.
 */
@NullMarked
package io.migrator.wire;

import org.jspecify.annotations.NullMarked;
