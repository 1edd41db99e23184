package io.migrator.network;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.linux.PacketSocket;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HexFormat;

/**
 * Tells the neighbours on a link that an address is here now: by a gratuitous ARP request and reply
 * (RFC 5944 section 4.6), or an unsolicited neighbour advertisement (RFC 4861 section 7.2.6). Sent
 * by a raw socket: the kernel's own notification (arp_notify) comes only with a change of the link,
 * speaks for all addresses of the node, and takes a sysctl. Prepared before the freeze. Any thread.
 * Owns its socket.
 */
final class Announcement implements AutoCloseable {
    private static final int ARP = 0x0806;
    private static final int IPV6 = 0x86dd;
    private static final int IPV4 = 0x0800;
    private static final int ETHER = 1;
    private static final int INFINIBAND = 32;
    private static final int ETHER_LENGTH = 6;
    private static final int REQUEST = 1;
    private static final int REPLY = 2;
    private static final int ARP_FIXED = 8;
    private static final int IP4_LENGTH = 4;

    private static final int IP6_HEADER = 40;
    private static final int IP6_LENGTH = 16;
    private static final int ICMP6 = 58;
    private static final int ADVERTISEMENT = 136;
    private static final int OVERRIDE = 0x20000000;
    private static final int TARGET_LINK_ADDRESS = 2;
    private static final int HOPS = 255;
    private static final int NA_LENGTH = 24;

    private static final byte[] ALL_NODES =
            HexFormat.of().parseHex("ff020000000000000000000000000001");
    private static final byte[] ALL_NODES_LINK = HexFormat.of().parseHex("333300000001");

    private final InterfaceAddress address;
    private final PacketSocket socket;
    private final int hardware;
    private final byte[] own;
    private final byte[] everybody;

    private Announcement(
            InterfaceAddress address,
            PacketSocket socket,
            int hardware,
            byte[] own,
            byte[] everybody) {
        this.address = address;
        this.socket = socket;
        this.hardware = hardware;
        this.own = own;
        this.everybody = everybody;
    }

    /**
     * Gets ready for one address.
     *
     * @param space in which its interface is
     */
    static Announcement of(NetSpace space, InterfaceAddress address)
            throws Problem, InterruptedException {
        JsonNode link = IpTool.of(space).link(address.device());
        try {
            return new Announcement(
                    address,
                    PacketSocket.open(space.process(), link.path("ifindex").asInt()),
                    link.path("link_type").asText().equals("infiniband") ? INFINIBAND : ETHER,
                    hardwareAddress(link.path("address").asText()),
                    hardwareAddress(link.path("broadcast").asText()));
        } catch (IOException | IllegalArgumentException e) {
            throw Problem.failed("nobody could be told that " + address.ip() + " moves")
                    .because(e.getMessage());
        }
    }

    private static byte[] hardwareAddress(String text) {
        return HexFormat.ofDelimiter(":").parseHex(text);
    }

    /** Says it, once. */
    void say() throws IOException {
        if (!address.six()) {
            socket.send(ARP, everybody, arp(REQUEST));
            socket.send(ARP, everybody, arp(REPLY));
        } else if (own.length == ETHER_LENGTH) {
            socket.send(IPV6, ALL_NODES_LINK, advertisement());
        }
    }

    byte[] arp(int operation) {
        byte[] ip = address.bytes();
        ByteBuffer out = ByteBuffer.allocate(ARP_FIXED + 2 * (own.length + ip.length));
        out.putShort((short) hardware).putShort((short) IPV4);
        out.put((byte) own.length).put((byte) IP4_LENGTH).putShort((short) operation);
        out.put(own).put(ip);
        out.put(operation == REQUEST ? new byte[own.length] : own).put(ip);
        return out.array();
    }

    byte[] advertisement() {
        int length = NA_LENGTH + 2 + own.length;
        byte[] ip = address.bytes();
        ByteBuffer body = ByteBuffer.allocate(length);
        body.put((byte) ADVERTISEMENT).put((byte) 0).putShort((short) 0).putInt(OVERRIDE).put(ip);
        body.put((byte) TARGET_LINK_ADDRESS).put((byte) 1).put(own);
        body.putShort(2, checksum(ip, body.array()));
        ByteBuffer out = ByteBuffer.allocate(IP6_HEADER + length);
        out.putInt(6 << 28).putShort((short) length).put((byte) ICMP6).put((byte) HOPS);
        out.put(ip).put(ALL_NODES).put(body.array());
        return out.array();
    }

    /** RFC 4443 section 2.3, over the pseudo-header of RFC 8200 section 8.1. */
    private static short checksum(byte[] from, byte[] body) {
        ByteBuffer all = ByteBuffer.allocate(2 * IP6_LENGTH + 8 + body.length);
        all.put(from).put(ALL_NODES).putInt(body.length).putInt(ICMP6).put(body).flip();
        long sum = 0;
        while (all.hasRemaining()) {
            sum += all.getShort() & 0xffff;
        }
        while (sum >> 16 != 0) {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        return (short) ~sum;
    }

    @Override
    public void close() {
        socket.close();
    }
}
