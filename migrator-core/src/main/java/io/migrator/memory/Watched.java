package io.migrator.memory;

import io.migrator.instance.ProcessTree;
import io.migrator.linux.PidFd;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A process that is watched, and what of it is on the target. One thread at a time. */
final class Watched {
    static final PageSet NOTHING = new PageSet();

    final ProcessTree.Member member;
    final PidFd process;

    /** The same if it is watched, too, and will fork this one on the target. */
    final @Nullable Watched parent;

    /** What is on the target as it is or was here, inherited or not. */
    final PageSet sent = new PageSet();

    /** Of these what its parent has there, and this one by the fork. */
    final PageSet inherited = new PageSet();

    /** Was inherited, and is to be sent now. */
    private PageSet lost = new PageSet();

    /** What of it is there at all in memory of its own. */
    final PageSet kept = new PageSet();

    /** What the round that met the freeze had still to send. */
    PageSet left = new PageSet();

    /** Null if it cannot be watched, or cannot any more. */
    @Nullable WriteTracker tracker;

    /** That were of no use any more: to end one merges mappings, which criu may be reading. */
    final List<WriteTracker> retired = new ArrayList<>();

    private boolean compared;

    /** What the next round is expected to send, bytes. */
    private long expectedBytes;

    Watched(
            ProcessTree.Member member,
            PidFd process,
            @Nullable WriteTracker tracker,
            @Nullable Watched parent) {
        this.member = member;
        this.process = process;
        this.tracker = tracker;
        this.parent = parent;
        this.expectedBytes = member.residentBytes();
    }

    /**
     * All its addresses, in the parts in which a round looks at them. What is written while the
     * others are sent need neither be noticed nor be sent twice, and the process does not wait for
     * all of its memory to be protected at once. Who may inherit is looked at as a whole.
     *
     * @param partBytes of what is sent, about
     */
    List<PageRange> parts(long partBytes) {
        long count = expectedBytes / partBytes;
        expectedBytes = 0;
        if (count < 2 || parent != null && (!compared || inherited.bytes() > 0)) {
            return List.of(PageRange.ALL);
        }
        try {
            return PrivateAreas.parts(PrivateAreas.of(member.process()), count);
        } catch (IOException e) { // it has ended
            return List.of(PageRange.ALL);
        }
    }

    void expect(long bytes) {
        expectedBytes += bytes;
    }

    void sent(List<PageRange> places, ByteBuffer pages) {
        for (PageRange each : places) {
            sent.add(each.start(), each.end());
            kept.add(each.start(), each.end());
        }
        if (tracker != null) {
            tracker.sent(places, pages);
        }
    }

    /**
     * What it inherits is no more than what is sent of its parent: what the parent has written this
     * one still has as it was.
     *
     * @return whether it lost anything
     */
    boolean keepInherited(PageSet parents) {
        PageSet gone = inherited.without(parents);
        inherited.removeAll(gone);
        sent.removeAll(gone);
        lost.addAll(gone);
        return gone.bytes() > 0;
    }

    /** What was inherited and has to be sent now, told once. */
    PageSet lost() {
        PageSet gone = lost;
        lost = new PageSet();
        return gone;
    }

    /**
     * Takes out of what is to be sent what it inherits. To be asked when its writes since the last
     * round are known, and its parent's, so that what either writes meanwhile is told by the next.
     * Looks for it once: a page that is written, or comes later, is the process's alone.
     *
     * @param wanted gets what is not inherited any more
     * @param soon true if the job is about to be frozen: what is not worth it is left inherited
     */
    void inherit(PageSet wanted, Inheritance inheritance, boolean soon) {
        Watched from = parent;
        if (from == null
                || !(tracker instanceof WriteProtection)
                || !(from.tracker instanceof WriteProtection)) {
            keepInherited(NOTHING);
        } else if (!compared || !soon && inherited.bytes() > 0) {
            try {
                inherit(wanted, from, inheritance);
            } catch (IOException e) { // one of the two has ended
                keepInherited(NOTHING);
            }
        }
        wanted.addAll(lost());
    }

    private void inherit(PageSet wanted, Watched from, Inheritance inheritance) throws IOException {
        PageSet shared = inherited.copy();
        if (!compared) {
            PageSet some = wanted.copy();
            some.retainAll(from.sent);
            shared.addAll(inheritance.find(member.process(), from.member.process(), some));
            compared = true;
        }
        PageSet all = sent.copy();
        all.addAll(wanted);
        Inheritance.keepWorth(
                shared,
                all,
                PrivateAreas.of(member.process()),
                PrivateAreas.of(from.member.process()));
        keepInherited(shared);
        inherited.addAll(shared);
        sent.addAll(shared);
        wanted.removeAll(shared);
    }
}
