package io.migrator.network;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.linux.Command;
import io.migrator.problem.Problem;

import java.util.ArrayList;
import java.util.List;

/** Addresses on the interfaces of a node. */
public final class AddressMove {
    private AddressMove() {}

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
    public static void on(NetSpace space, List<InterfaceAddress> addresses)
            throws Problem, InterruptedException {
        space.feed("an address could not be set", on(addresses), "ip", "-batch", "-");
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

    /** Addresses of a node, but loopback's. */
    public static List<InterfaceAddress> present(NetSpace space)
            throws Problem, InterruptedException {
        List<InterfaceAddress> found = new ArrayList<>();
        for (JsonNode device : IpTool.of(space).list("address", "show")) {
            for (JsonNode each : device.path("addr_info")) {
                String ip = InterfaceAddress.literal(each.path("local").asText());
                if (!InetSocket.isLoopback(ip)) {
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
