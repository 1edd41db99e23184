package io.migrator.network;

import io.migrator.problem.Problem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Whether a node passes on packets for addresses that are not its own; that is its root's to say.
 */
public final class Forwarding {
    private Forwarding() {}

    /**
     * The first setting that is missing for an address, as sysctl(8) takes it; empty if none is.
     */
    public static String missing(InterfaceAddress address) throws Problem {
        List<String> needed =
                address.six()
                        ? List.of(
                                "net/ipv6/conf/all/forwarding",
                                "net/ipv6/conf/%s/proxy_ndp".formatted(address.device()))
                        : List.of("net/ipv4/ip_forward");
        try {
            for (String each : needed) {
                if (!Files.readString(Path.of("/proc/sys").resolve(each)).strip().equals("1")) {
                    return each + "=1";
                }
            }
            return "";
        } catch (IOException e) {
            throw Problem.failed("the sysctls of this node cannot be read").because(e.toString());
        }
    }
}
