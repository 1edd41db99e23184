package io.migrator.network;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Changes of nf_tables that are made at once, encoded for the kernel (linux/netfilter/nf_tables.h,
 * nfnetlink.h): the program nft takes 4 ms for what takes the kernel a tenth of one, and the job
 * stands still. Immutable once {@link #bytes} was called.
 */
final class NftBatch {
    /** The rules of IPv4 and IPv6 (NFPROTO_INET), and of ARP. */
    enum Family {
        INET(1),
        ARP(3);

        private final int number;

        Family(int number) {
            this.number = number;
        }
    }

    private static final int BEGIN = 0x10;
    private static final int END = 0x11;
    private static final int TABLES = 10;
    private static final int NEW_RULE = TABLES << 8 | 6;
    private static final int NEW_ELEMENTS = TABLES << 8 | 12;

    private static final int REQUEST = 1;
    private static final int ACKNOWLEDGE = 4;
    private static final int CREATE = 0x400;

    private static final int TABLE = 1; // NFTA_RULE_TABLE, NFTA_SET_ELEM_LIST_TABLE
    private static final int CHAIN = 2;
    private static final int EXPRESSIONS = 4;
    private static final int SET = 2;
    private static final int ELEMENTS = 3;
    private static final int ONE = 1; // NFTA_LIST_ELEM, NFTA_SET_ELEM_KEY, NFTA_DATA_VALUE
    private static final int NAME = 1;
    private static final int DATA = 2; // NFTA_EXPR_DATA, NFTA_IMMEDIATE_DATA, NFTA_DATA_VERDICT
    private static final int REGISTER = 1;
    private static final int CODE = 1;
    private static final int VERDICT_REGISTER = 0;
    private static final int ACCEPT = 1;

    private static final int NESTED = 0x8000;
    private static final int MOST_BYTES = 1 << 16;

    private final ByteBuffer out = ByteBuffer.allocate(MOST_BYTES).order(ByteOrder.nativeOrder());
    private int sequence;
    private int last;
    private int lastAt;

    NftBatch() {
        frame(BEGIN);
    }

    /** From here on a chain lets everything through, whatever its rules say. */
    NftBatch accept(Family family, String table, String chain) {
        int at = change(NEW_RULE, family);
        text(TABLE, table);
        text(CHAIN, chain);
        int expressions = open(EXPRESSIONS);
        int expression = open(ONE);
        text(NAME, "immediate");
        int data = open(DATA);
        number(REGISTER, VERDICT_REGISTER);
        int value = open(DATA);
        int verdict = open(DATA);
        number(CODE, ACCEPT);
        for (int each : new int[] {verdict, value, data, expression, expressions}) {
            close(each);
        }
        end(at);
        return this;
    }

    /** Adds to a set; nothing if there is nothing to add. */
    NftBatch add(Family family, String table, String set, List<byte[]> keys) {
        if (keys.isEmpty()) {
            return this;
        }
        int at = change(NEW_ELEMENTS, family);
        text(TABLE, table);
        text(SET, set);
        int elements = open(ELEMENTS);
        for (byte[] key : keys) {
            int element = open(ONE);
            int data = open(ONE);
            bytes(ONE, key);
            close(data);
            close(element);
        }
        close(elements);
        end(at);
        return this;
    }

    /** Sequence number of the last change, which the kernel acknowledges; 0 if there is none. */
    int last() {
        return last;
    }

    /** All of it. */
    byte[] bytes() {
        if (lastAt > 0) {
            out.putShort(lastAt + 6, (short) (out.getShort(lastAt + 6) | ACKNOWLEDGE));
            lastAt = 0;
            frame(END);
        }
        byte[] all = new byte[out.position()];
        out.get(0, all);
        return all;
    }

    private void frame(int type) {
        end(message(type, 0, 0, TABLES));
    }

    private int change(int type, Family family) {
        last = sequence;
        lastAt = message(type, CREATE, family.number, 0);
        return lastAt;
    }

    /** struct nlmsghdr and struct nfgenmsg; returns where it begins. */
    private int message(int type, int flags, int family, int resource) {
        int at = out.position();
        out.putInt(0).putShort((short) type).putShort((short) (REQUEST | flags));
        out.putInt(sequence++).putInt(0);
        out.put((byte) family).put((byte) 0);
        out.put((byte) (resource >> 8)).put((byte) resource);
        return at;
    }

    private void end(int at) {
        out.putInt(at, out.position() - at);
    }

    private int open(int type) {
        int at = out.position();
        out.putShort((short) 0).putShort((short) (type | NESTED));
        return at;
    }

    private void close(int at) {
        out.putShort(at, (short) (out.position() - at));
    }

    private void number(int type, int value) {
        byte[] big = ByteBuffer.allocate(Integer.BYTES).putInt(value).array();
        bytes(type, big);
    }

    private void text(int type, String value) {
        bytes(type, (value + "\0").getBytes(StandardCharsets.US_ASCII));
    }

    private void bytes(int type, byte[] value) {
        out.putShort((short) (4 + value.length)).putShort((short) type).put(value);
        while (out.position() % 4 != 0) {
            out.put((byte) 0);
        }
    }
}
