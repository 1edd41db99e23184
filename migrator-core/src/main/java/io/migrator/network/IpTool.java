package io.migrator.network;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import io.migrator.problem.Problem;

import java.util.ArrayList;
import java.util.List;

/** What ip(8) tells of a network namespace. Any thread. */
record IpTool(NetSpace space) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static IpTool of(NetSpace space) {
        return new IpTool(space);
    }

    /** All that {@code ip -j -d WORDS} lists. */
    List<JsonNode> list(String... words) throws Problem, InterruptedException {
        List<String> argv = new ArrayList<>(List.of("ip", "-j", "-d"));
        argv.addAll(List.of(words));
        String out =
                space.run(argv.toArray(String[]::new))
                        .orFail("the network of this node cannot be looked at")
                        .out();
        try {
            List<JsonNode> found = new ArrayList<>();
            JSON.readTree(out.isBlank() ? "[]" : out).forEach(found::add);
            return found;
        } catch (JsonProcessingException e) {
            throw Problem.failed("the network of this node cannot be looked at")
                    .because("ip -j prints no JSON: " + e.getOriginalMessage());
        }
    }

    /** One interface. */
    JsonNode link(String name) throws Problem, InterruptedException {
        for (JsonNode each : list("link", "show", "dev", name)) {
            if (each.path("ifname").asText().equals(name)) {
                return each;
            }
        }
        throw Problem.failed("there is no interface " + name);
    }

    /** The names of all interfaces. */
    List<String> names() throws Problem, InterruptedException {
        return list("link", "show").stream().map(each -> each.path("ifname").asText()).toList();
    }
}
