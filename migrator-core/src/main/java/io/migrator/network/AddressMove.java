package io.migrator.network;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Addresses on the interfaces of a node. */
public final class AddressMove {
    private static final int LOOKS = 10;
    private static final int LOOK_MILLIS = 25;

    private AddressMove() {}

    /**
     * Text for {@code ip -batch} that puts them on a node's interfaces. Duplicates are not looked
     * for. An IPv6 address is deprecated at once (RFC 4862 section 5.5.4): else the node's other
     * programs might take it for their own connections.
     */
    static String onNode(List<InterfaceAddress> addresses) {
        return on(addresses).replace(" nodad", " nodad preferred_lft 0");
    }

    /** Text for {@code ip -batch} that puts them there; duplicates are not looked for. */
    static String on(List<InterfaceAddress> addresses) {
        StringBuilder text = new StringBuilder();
        for (InterfaceAddress each : addresses) {
            text.append("address add ").append(each.withPrefix()).append(" dev ");
            text.append(each.device()).append(each.six() ? " nodad" : "").append('\n');
        }
        return text.toString();
    }

    /** Puts them on this node. */
    static void put(List<InterfaceAddress> addresses) throws Problem, InterruptedException {
        NetSpace here = NetSpace.here();
        here.feed("an address could not be set", onNode(addresses), "ip", "-batch", "-");
    }

    /** Takes them off this node; no complaint about one that is gone. */
    public static void off(List<InterfaceAddress> addresses) throws Problem, InterruptedException {
        for (InterfaceAddress each : addresses) {
            Command.Result result =
                    NetSpace.here()
                            .run("ip", "address", "del", each.withPrefix(), "dev", each.device());
            boolean gone = result.err().contains("not found") || result.err().contains("Cannot");
            if (!result.ok() && !gone) {
                result.orFail("address " + each + " could not be removed");
            }
        }
    }

    /**
     * Ends connections from these addresses; where they are locked nobody hears of it. Where the
     * kernel cannot (CONFIG_INET_DIAG_DESTROY), they end by themselves.
     */
    static void endConnections(NetSpace space, List<InterfaceAddress> addresses)
            throws Problem, InterruptedException {
        for (InterfaceAddress each : addresses) {
            space.run("ss", "-K", "-H", "src", each.ip());
        }
    }

    /**
     * An interface of a node.
     *
     * @param hardware address
     * @param mtu bytes
     */
    public record Interface(String hardware, int mtu) {}

    /** The interface of this node of that name. */
    public static Interface describe(String device) throws Problem, InterruptedException {
        JsonNode link = IpTool.of(NetSpace.here()).link(device);
        return new Interface(link.path("address").asText(), link.path("mtu").asInt());
    }

    /** The interfaces of this node that are up. */
    public static List<String> devicesUp() throws Problem, InterruptedException {
        return IpTool.of(NetSpace.here()).list("link", "show", "up").stream()
                .map(each -> each.path("ifname").asText())
                .toList();
    }

    /** Whether this node has a way to an address. */
    public static boolean reaches(String ip) throws Problem, InterruptedException {
        return NetSpace.here().run("ip", "route", "get", ip).ok();
    }

    /**
     * Who answers for an address on an interface of this node, which must not have it.
     *
     * @return a hardware address, or empty if nobody does
     */
    public static String whoHas(InterfaceAddress address) throws Problem, InterruptedException {
        IpTool tool = IpTool.of(NetSpace.here());
        String ip = address.ip();
        String device = address.device();
        // what the kernel has known for a while it would not ask again for some seconds
        NetSpace.here().run("ip", "neighbour", "flush", "to", ip, "dev", device);
        NetSpace.here().run("ip", "neighbour", "replace", ip, "dev", device, "use");
        for (int look = 0; look < LOOKS; look++) {
            for (JsonNode each : tool.list("neighbour", "show", "to", ip, "dev", device)) {
                if (each.path("state").path(0).asText().equals("REACHABLE")) {
                    return each.path("lladdr").asText();
                }
            }
            Thread.sleep(LOOK_MILLIS);
        }
        return "";
    }

    /**
     * Addresses of this node that would go with another one: the kernel takes the later ones of a
     * network off with the first (ip-sysctl, promote_secondaries).
     */
    public static List<String> goingWith(InterfaceAddress address)
            throws Problem, InterruptedException {
        String device = address.device();
        try {
            if (address.six() || promotes("all") || promotes(device)) {
                return List.of();
            }
        } catch (IOException e) {
            throw Problem.failed("the sysctls of this node cannot be read").because(e.toString());
        }
        List<String> others = new ArrayList<>();
        for (JsonNode each : IpTool.of(NetSpace.here()).list("address", "show", "dev", device)) {
            for (JsonNode other : each.path("addr_info")) {
                String ip = InterfaceAddress.literal(other.path("local").asText());
                boolean secondary = other.path("secondary").asBoolean();
                if (ip.equals(address.ip()) && secondary) {
                    return List.of();
                }
                if (secondary && address.reaches(ip)) {
                    others.add(ip);
                }
            }
        }
        return others;
    }

    private static boolean promotes(String device) throws IOException {
        Path all = Path.of("/proc/sys/net/ipv4/conf");
        return Files.readString(all.resolve(device).resolve("promote_secondaries"))
                .strip()
                .equals("1");
    }

    /** Flags of addresses that come and go; those that move are deprecated (IPv6) or secondary. */
    private static final List<String> PASSING =
            List.of("temporary", "deprecated", "tentative", "secondary");

    /** Addresses of this node that are its own for good. */
    static List<InterfaceAddress> lasting() throws Problem, InterruptedException {
        return addresses(NetSpace.here(), each -> PASSING.stream().noneMatch(each::has));
    }

    /** Addresses of a node, but loopback's. */
    public static List<InterfaceAddress> present(NetSpace space)
            throws Problem, InterruptedException {
        return addresses(space, each -> true);
    }

    private static List<InterfaceAddress> addresses(NetSpace space, Predicate<JsonNode> wanted)
            throws Problem, InterruptedException {
        List<InterfaceAddress> found = new ArrayList<>();
        for (JsonNode device : IpTool.of(space).list("address", "show")) {
            for (JsonNode each : device.path("addr_info")) {
                String ip = InterfaceAddress.literal(each.path("local").asText());
                if (!InetSocket.isLoopback(ip) && wanted.test(each)) {
                    found.add(
                            new InterfaceAddress(
                                    ip,
                                    each.path("prefixlen").asInt(),
                                    device.path("ifname").asText()));
                }
            }
        }
        return found;
    }
}
