package io.migrator.network;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An address on a network interface. May come from a user or a peer: every part is checked, and can
 * stand as a word of a command.
 *
 * @param ip in its usual form, such as {@code 10.0.0.1} or {@code fd00::1}
 * @param prefix length, bits
 * @param device name of the interface
 */
public record InterfaceAddress(String ip, int prefix, String device) {
    private static final Pattern LITERAL = Pattern.compile("[0-9a-fA-F:.]{2,45}");
    private static final Pattern DEVICE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,14}");
    private static final Pattern TEXT = Pattern.compile("([^/@]+)/(\\d{1,3})@(.+)");
    private static final int MOST4 = 32;
    private static final int MOST6 = 128;

    /** Refuses what is not an address, a length and a name. */
    public InterfaceAddress {
        ip = literal(ip);
        orNoDevice(device);
        if (prefix < 1 || prefix > (isSix(ip) ? MOST6 : MOST4)) {
            throw new IllegalArgumentException("/" + prefix + " is no length for " + ip);
        }
    }

    /**
     * Reads {@code ADDR/LENGTH@DEVICE}.
     *
     * @throws IllegalArgumentException if it is not that
     */
    public static InterfaceAddress parse(String text) {
        Matcher found = TEXT.matcher(text);
        if (!found.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not ADDRESS/LENGTH@DEVICE");
        }
        return new InterfaceAddress(
                found.group(1), Integer.parseInt(found.group(2)), found.group(3));
    }

    /** Refuses what is not a name of an interface. */
    static void orNoDevice(String name) {
        if (!DEVICE.matcher(name).matches()) {
            throw new IllegalArgumentException("'" + name + "' is not the name of an interface");
        }
    }

    /** An address in its usual form; names are not looked up. */
    static String literal(String text) {
        try {
            if (LITERAL.matcher(text).matches()) {
                return plain(InetAddress.ofLiteral(text));
            }
        } catch (IllegalArgumentException e) {
            // told below
        }
        throw new IllegalArgumentException("'" + text + "' is not an IP address");
    }

    /** As nft and ip write it, but that Java does not shorten IPv6 addresses. */
    static String plain(InetAddress address) {
        String text = address.getHostAddress();
        int zone = text.indexOf('%');
        return zone < 0 ? text : text.substring(0, zone);
    }

    static boolean isSix(String ip) {
        return ip.indexOf(':') >= 0;
    }

    /** True if the same address may be on other links, too. */
    public static boolean isScoped(String ip) {
        return ip.startsWith("fe80:") || ip.startsWith("169.254.");
    }

    /** True for an IPv6 address. */
    public boolean six() {
        return isSix(ip);
    }

    /** True if another address is in the network that this one is in. */
    boolean reaches(String other) {
        byte[] ours = bytes();
        byte[] theirs = new InterfaceAddress(other, 1, device).bytes();
        if (ours.length != theirs.length) {
            return false;
        }
        int shift = ours.length * Byte.SIZE - prefix;
        return new BigInteger(1, ours)
                .shiftRight(shift)
                .equals(new BigInteger(1, theirs).shiftRight(shift));
    }

    byte[] bytes() {
        try {
            return InetAddress.getByName(ip).getAddress();
        } catch (UnknownHostException e) {
            throw new IllegalStateException(ip, e);
        }
    }

    /** {@code ADDR/LENGTH}, as ip(8) takes it. */
    public String withPrefix() {
        return ip + "/" + prefix;
    }

    @Override
    public String toString() {
        return withPrefix() + "@" + device;
    }
}
