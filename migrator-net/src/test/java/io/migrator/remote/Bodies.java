package io.migrator.remote;

import com.fasterxml.jackson.databind.json.JsonMapper;

import io.migrator.check.Finding;
import io.migrator.files.CarriedFile;
import io.migrator.files.FileAnswer;
import io.migrator.files.FileClaim;
import io.migrator.files.PlacedFile;
import io.migrator.files.UsedFile;
import io.migrator.handover.Token;
import io.migrator.instance.ImageIdentity;
import io.migrator.instance.Logs;
import io.migrator.instance.RunDirectory;
import io.migrator.instance.StartOptions;
import io.migrator.instance.Traits;
import io.migrator.linux.Clocks;
import io.migrator.migration.Account;
import io.migrator.migration.Needs;
import io.migrator.migration.NetworkNeeds;
import io.migrator.migration.Order;
import io.migrator.migration.Prepared;
import io.migrator.migration.Steps;
import io.migrator.migration.Survey;
import io.migrator.migration.TargetFacts;
import io.migrator.migration.Usage;
import io.migrator.network.AddressMove;
import io.migrator.network.InetSocket;
import io.migrator.network.InterfaceAddress;
import io.migrator.network.NamespaceState;
import io.migrator.network.NetworkLock;
import io.migrator.network.NetworkPlan;
import io.migrator.problem.ExitCode;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A body of each kind that crosses, with every part in it: where fuzzing begins. */
final class Bodies {
    private static final ImageIdentity IMAGE =
            new ImageIdentity("/i.sif", "a0", 1, "2.000000003", 3, "");
    private static final InterfaceAddress ADDRESS = new InterfaceAddress("10.0.0.1", 24, "eth0");
    private static final NamespaceState LINKS =
            new NamespaceState(
                    List.of(
                            new NamespaceState.Link(
                                    "eth0",
                                    NamespaceState.Kind.ROUTED,
                                    "02:00:00:00:00:01",
                                    1500,
                                    "",
                                    "br0",
                                    "02:00:00:00:00:02")),
                    List.of(ADDRESS),
                    List.of("-4 unicast default via 10.0.0.2 dev eth0"),
                    List.of("-4 priority 5 from all lookup 7"),
                    List.of("10.0.0.2 lladdr 02:00:00:00:00:03 dev eth0 nud permanent"),
                    Map.of("ipv4/ip_forward", "1"));

    private Bodies() {}

    /** By their places among the uses of {@link EnvelopeFuzzTest}. */
    static Map<Integer, String> all() {
        Map<Integer, Object> bodies = new LinkedHashMap<>();
        bodies.put(
                0,
                new Survey(
                        "job",
                        IMAGE,
                        "4.2.1",
                        new byte[] {1, 2},
                        new NetworkNeeds(
                                new NetworkPlan(
                                        NetworkPlan.Mode.SERVICE_IP,
                                        List.of(ADDRESS),
                                        null,
                                        List.of(new InterfaceAddress("fd00::1", 64, "eth0"))),
                                List.of(
                                        new InetSocket(
                                                "tcp",
                                                "10.0.0.1",
                                                80,
                                                "10.0.0.9",
                                                443,
                                                1,
                                                0,
                                                "socket:[7]")),
                                List.of("@x"),
                                List.of("eth0"),
                                Map.of(
                                        "eth0",
                                        new AddressMove.Interface("02:00:00:00:00:01", 1500)),
                                true),
                        true,
                        Map.of("open files", new Survey.Limit("1 (job)", 1024)),
                        new Needs(4096, 8192)));
        bodies.put(1, order());
        bodies.put(
                2,
                List.of(
                        new FileClaim(
                                IMAGE,
                                UsedFile.Use.READ,
                                new FileClaim.Probe("p", "t"),
                                0,
                                0,
                                0644,
                                3)));
        bodies.put(
                3,
                List.of(
                        new CarriedFile(
                                1, true, "/a/b", CarriedFile.Kind.FILE, "", 0600, 0, 0, false),
                        new CarriedFile(
                                2,
                                false,
                                "/a/c",
                                CarriedFile.Kind.HARD_LINK,
                                "1",
                                0600,
                                0,
                                0,
                                true)));
        bodies.put(
                4,
                List.of(
                        new PlacedFile(
                                1, 0600, 0, 0, 5, 6, 7, Map.of("user.a", "AA=="), List.of("x")),
                        new PlacedFile(2, 0600, 0, 0, 5, 6, 7, Map.of(), null)));
        bodies.put(5, List.of(new NetworkLock.Pair("10.0.0.1", 1, "fd00::1", 2)));
        bodies.put(6, new Envelope.Attached("m1", Token.fresh()));
        bodies.put(7, 4096L);
        bodies.put(8, new Envelope.Wanted(26, 0x7f00_0000_1000L));
        bodies.put(9, new Envelope.Told(ExitCode.REFUSED, "what", "because", "try"));
        bodies.put(
                10,
                new TargetFacts(
                        "n2",
                        "b-1",
                        "6.18",
                        "4.2.1",
                        "",
                        "",
                        true,
                        2432,
                        "",
                        false,
                        IMAGE,
                        1L,
                        2L,
                        Map.of("open files", 1024L),
                        List.of(Finding.warning("mtu", "a", "b", "c")),
                        new Clocks(3, 4)));
        bodies.put(11, List.of(new FileAnswer(FileAnswer.State.ANOTHER, "00", "there is no room")));
        bodies.put(12, new Prepared(true));
        bodies.put(
                13, new Account(5, new Usage(0.25, 4096), List.of(new Steps.Step("load", -3, 4))));
        Map<Integer, String> texts = new LinkedHashMap<>();
        bodies.forEach(
                (use, body) -> texts.put(use, new JsonMapper().valueToTree(body).toString()));
        return texts;
    }

    private static Order order() {
        return new Order(
                "m1",
                Token.fresh(),
                "b-0",
                "job",
                new StartOptions(
                        "/i.sif",
                        List.of("--net", "--network", "none"),
                        Map.of("A", "b"),
                        List.of()),
                List.of(25),
                List.of(new Traits(25, "0-3", 7, "33")),
                List.of(new Logs.Held(true, "[1f:2a]", false)),
                new Clocks(5, 6),
                NetworkPlan.of(LINKS),
                4096,
                true,
                List.of(
                        new CarriedFile(
                                0, false, "/a", CarriedFile.Kind.DIRECTORY, "", 0700, 0, 0, false)),
                new RunDirectory.Claim("/home/a/.migrator/runs/job", ".probe-m1"));
    }
}
