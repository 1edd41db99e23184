package io.migrator.network;

import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A network namespace of a job's own, as far as it can be made anew on another node. Read from
 * ip(8), or from a peer: every word of it is checked, and can stand in a command.
 *
 * @param links but loopback
 * @param addresses on them, but those that the kernel makes
 * @param routes and
 * @param rules and
 * @param neighbours as words of ip(8) behind {@code replace} or {@code add}, but for the kernel's
 * @param settings sysctls, by path below /proc/sys/net
 */
public record NamespaceState(
        List<Link> links,
        List<InterfaceAddress> addresses,
        List<String> routes,
        List<String> rules,
        List<String> neighbours,
        Map<String, String> settings) {

    /** How a link reaches the world outside. */
    public enum Kind {
        MACVLAN,
        IPVLAN,
        /** A veth pair; the node routes to it, see {@link RoutedLink}. */
        ROUTED
    }

    private static final Pattern HARDWARE = Pattern.compile("([0-9a-f]{2}:){5}[0-9a-f]{2}");
    private static final Pattern WORDS =
            Pattern.compile("[A-Za-z0-9_:./-]+( [A-Za-z0-9_:./-]+){0,30}");
    private static final Pattern SETTING =
            Pattern.compile("(ipv4|ipv6|core)(/[A-Za-z0-9_-]+){1,6}");
    private static final Pattern VALUE = Pattern.compile("[A-Za-z0-9_ \t.,:-]{0,200}");
    private static final Set<String> MODES =
            Set.of("bridge", "private", "vepa", "passthru", "l2", "l3", "l3s", "");
    private static final int MTU_LEAST = 68;
    private static final int MTU_MOST = 1 << 20;
    private static final String KERNEL = "kernel";
    private static final String LOOPBACK = "lo";

    /**
     * One interface.
     *
     * @param name inside
     * @param hardware its address
     * @param mode of a macvlan or ipvlan
     * @param parent interface of the node
     * @param far hardware address of the other end of a veth pair; else empty
     */
    public record Link(
            String name,
            Kind kind,
            String hardware,
            int mtu,
            String mode,
            String parent,
            String far) {
        /** Refuses what could not stand in a command. */
        public Link {
            InterfaceAddress.orNoDevice(name);
            InterfaceAddress.orNoDevice(parent);
            if (kind == null || !HARDWARE.matcher(hardware).matches() || !MODES.contains(mode)) {
                throw new IllegalArgumentException("not a link: " + name);
            }
            if (!far.isEmpty() && !HARDWARE.matcher(far).matches()) {
                throw new IllegalArgumentException("not a hardware address: " + far);
            }
            if (mtu < MTU_LEAST || mtu > MTU_MOST) {
                throw new IllegalArgumentException("not an MTU: " + mtu);
            }
        }
    }

    /** Refuses what could not stand in a command. */
    public NamespaceState {
        links = List.copyOf(links);
        addresses = List.copyOf(addresses);
        routes = orNoWords(routes);
        rules = orNoWords(rules);
        neighbours = orNoWords(neighbours);
        settings = Map.copyOf(settings);
        settings.forEach((path, value) -> {
            if (!SETTING.matcher(path).matches() || !VALUE.matcher(value).matches()) {
                throw new IllegalArgumentException("not a setting: " + path);
            }
        });
    }

    private static List<String> orNoWords(List<String> lines) {
        for (String line : lines) {
            if (!WORDS.matcher(line).matches()) {
                throw new IllegalArgumentException("not words for ip: " + line);
            }
        }
        return List.copyOf(lines);
    }

    /** Thrown where a namespace has something that cannot be made anew. */
    public static final class NotMovable extends Exception {
        private static final long serialVersionUID = 1;

        NotMovable(String what) {
            super(what);
        }
    }

    /**
     * Reads that of a job.
     *
     * @throws NotMovable if it cannot be made on another node
     */
    public static NamespaceState of(NetSpace space)
            throws NotMovable, Problem, InterruptedException {
        IpTool inside = IpTool.of(space);
        List<InterfaceAddress> addresses = new ArrayList<>();
        for (JsonNode device : inside.list("address", "show")) {
            addresses.addAll(addressesOf(device));
        }
        List<Link> links = new ArrayList<>();
        for (JsonNode each : inside.list("link", "show")) {
            if (!each.path("ifname").asText().equals(LOOPBACK)) {
                links.add(link(each, addresses));
            }
        }
        List<String> routes = new ArrayList<>();
        for (String family : List.of("-4", "-6")) {
            for (JsonNode each : inside.list(family, "route", "show", "table", "all")) {
                route(each).ifPresent(words -> routes.add(family + " " + words));
            }
        }
        return new NamespaceState(
                links, addresses, routes, rules(inside), neighbours(inside), Settings.of(space));
    }

    private static Link link(JsonNode json, List<InterfaceAddress> addresses)
            throws NotMovable, Problem, InterruptedException {
        String name = json.path("ifname").asText();
        JsonNode info = json.path("linkinfo");
        Kind kind =
                switch (info.path("info_kind").asText()) {
                    case "macvlan" -> Kind.MACVLAN;
                    case "ipvlan" -> Kind.IPVLAN;
                    case "veth" -> Kind.ROUTED;
                    default ->
                            throw new NotMovable(
                                    "interface %s is of kind '%s'"
                                            .formatted(name, info.path("info_kind").asText()));
                };
        JsonNode outside = outside(json, name);
        boolean routed = kind == Kind.ROUTED;
        String parent =
                routed ? RoutedLink.answeredOn(addresses, name) : outside.path("ifname").asText();
        if (parent == null) {
            throw new NotMovable(
                    "interface "
                            + name
                            + " is a veth pair, but this node answers for none of its addresses");
        }
        return new Link(
                name,
                kind,
                json.path("address").asText(),
                json.path("mtu").asInt(),
                info.path("info_data").path("mode").asText(),
                parent,
                routed ? outside.path("address").asText() : "");
    }

    /** What of the node's own it hangs on: the parent, or the other end of a pair. */
    private static JsonNode outside(JsonNode link, String name)
            throws NotMovable, Problem, InterruptedException {
        int index = link.path("link_index").asInt();
        for (JsonNode each : IpTool.of(NetSpace.here()).list("link", "show")) {
            if (each.path("ifindex").asInt() == index && link.has("link_netnsid")) {
                return each;
            }
        }
        throw new NotMovable("interface " + name + " hangs on none of this node's");
    }

    private static List<InterfaceAddress> addressesOf(JsonNode device) {
        String name = device.path("ifname").asText();
        List<InterfaceAddress> found = new ArrayList<>();
        for (JsonNode each : device.path("addr_info")) {
            String ip = InterfaceAddress.literal(each.path("local").asText());
            if (!isGiven(each) && !InetSocket.isLoopback(ip)) {
                found.add(new InterfaceAddress(ip, each.path("prefixlen").asInt(), name));
            }
        }
        return found;
    }

    /** By the kernel or a router, which give another one elsewhere; older ip(8) tells less. */
    private static boolean isGiven(JsonNode address) {
        boolean six = address.path("family").asText().equals("inet6");
        return address.path("protocol").asText().startsWith(KERNEL)
                || six && address.path("scope").asText().equals("link")
                || six && address.path("dynamic").asBoolean()
                || six && address.path("mngtmpaddr").asBoolean();
    }

    /** Parts of a route that are told again, with the words of ip-route(8). */
    private static final Map<String, String> ROUTE_PARTS =
            orderedMap(
                    "gateway", "via",
                    "dev", "dev",
                    "table", "table",
                    "scope", "scope",
                    "prefsrc", "src",
                    "metric", "metric",
                    "protocol", "proto");

    private static final Set<String> ROUTE_KNOWN = Set.of("dst", "type", "flags", "pref");

    private static Map<String, String> orderedMap(String... pairs) {
        Map<String, String> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put(pairs[i], pairs[i + 1]);
        }
        return map;
    }

    private static Optional<String> route(JsonNode json) throws NotMovable {
        String protocol = json.path("protocol").asText();
        String device = json.path("dev").asText();
        if (protocol.equals(KERNEL) || protocol.equals("ra") || device.equals(LOOPBACK)) {
            return Optional.empty();
        }
        StringBuilder words = new StringBuilder();
        String type = json.path("type").asText("unicast");
        words.append(type).append(' ').append(json.path("dst").asText());
        for (Map.Entry<String, JsonNode> part : json.properties()) {
            if (!ROUTE_PARTS.containsKey(part.getKey()) && !ROUTE_KNOWN.contains(part.getKey())) {
                throw new NotMovable(
                        "a route has '%s', which is not understood".formatted(part.getKey()));
            }
        }
        ROUTE_PARTS.forEach((name, word) -> {
            if (json.has(name)) {
                words.append(' ').append(word).append(' ').append(json.path(name).asText());
            }
        });
        for (JsonNode flag : json.path("flags")) {
            if (flag.asText().equals("onlink")) {
                words.append(" onlink");
            }
        }
        return Optional.of(words.toString());
    }

    private static final Set<Integer> RULES_OF_THE_KERNEL = Set.of(0, 32766, 32767);
    private static final Map<String, String> RULE_PARTS =
            orderedMap("iif", "iif", "oif", "oif", "fwmark", "fwmark", "table", "lookup");

    private static List<String> rules(IpTool inside)
            throws NotMovable, Problem, InterruptedException {
        List<String> found = new ArrayList<>();
        for (String family : List.of("-4", "-6")) {
            for (JsonNode each : inside.list(family, "rule", "show")) {
                int priority = each.path("priority").asInt();
                if (!RULES_OF_THE_KERNEL.contains(priority)) {
                    found.add(family + " " + rule(each));
                }
            }
        }
        return found;
    }

    private static String rule(JsonNode json) throws NotMovable {
        Set<String> known = Set.of("priority", "src", "srclen", "dst", "dstlen", "protocol");
        for (Map.Entry<String, JsonNode> part : json.properties()) {
            if (!RULE_PARTS.containsKey(part.getKey()) && !known.contains(part.getKey())) {
                throw new NotMovable(
                        "a routing rule has '%s', which is not understood"
                                .formatted(part.getKey()));
            }
        }
        StringBuilder words = new StringBuilder("priority " + json.path("priority").asText());
        words.append(" from ").append(withLength(json, "src"));
        if (json.has("dst")) {
            words.append(" to ").append(withLength(json, "dst"));
        }
        RULE_PARTS.forEach((name, word) -> {
            if (json.has(name)) {
                words.append(' ').append(word).append(' ').append(json.path(name).asText());
            }
        });
        return words.toString();
    }

    private static String withLength(JsonNode json, String name) {
        String length = json.path(name + "len").asText();
        return json.path(name).asText() + (length.isEmpty() ? "" : "/" + length);
    }

    private static List<String> neighbours(IpTool inside) throws Problem, InterruptedException {
        List<String> found = new ArrayList<>();
        for (JsonNode each : inside.list("neighbour", "show", "nud", "permanent")) {
            if (!each.path("dev").asText().equals(LOOPBACK) && each.has("lladdr")) {
                found.add(
                        "%s lladdr %s dev %s nud permanent"
                                .formatted(
                                        each.path("dst").asText(),
                                        each.path("lladdr").asText(),
                                        each.path("dev").asText()));
            }
        }
        return found;
    }

    /** The interface of that name; null if there is none. */
    public @Nullable Link link(String name) {
        return links.stream().filter(each -> each.name.equals(name)).findFirst().orElse(null);
    }
}
