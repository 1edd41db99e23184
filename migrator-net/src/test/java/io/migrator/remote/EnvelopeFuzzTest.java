package io.migrator.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.DictionaryFile;
import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;

import io.migrator.files.CarriedFile;
import io.migrator.files.FileAnswer;
import io.migrator.files.FileAnswers;
import io.migrator.files.FileClaim;
import io.migrator.files.Overlay;
import io.migrator.files.PlacedFile;
import io.migrator.fuzz.InMemory;
import io.migrator.fuzz.Whole;
import io.migrator.instance.Logs;
import io.migrator.instance.StartOptions;
import io.migrator.migration.Account;
import io.migrator.migration.Order;
import io.migrator.migration.Prepared;
import io.migrator.migration.Survey;
import io.migrator.migration.TargetFacts;
import io.migrator.network.InetSocket;
import io.migrator.network.NetSpace;
import io.migrator.network.NetworkLock;
import io.migrator.network.NetworkPlan;
import io.migrator.problem.Problem;
import io.migrator.remote.Envelope.Kind;
import io.migrator.wire.Frame;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Any text is a control message or is refused, and so is its body as what a receiver takes it for,
 * or a source. The first byte of an input says as what; the rest is the body, or the whole message.
 */
class EnvelopeFuzzTest {
    private static final int WHOLE = 0x80;

    /** What is done with a body, as far as it takes nothing but the body. */
    private interface Use {
        Object of(Envelope message) throws IOException, Problem;
    }

    private static final List<Use> USES =
            List.of(
                    EnvelopeFuzzTest::survey,
                    EnvelopeFuzzTest::order,
                    EnvelopeFuzzTest::claims,
                    EnvelopeFuzzTest::carried,
                    message -> message.list(PlacedFile.class),
                    EnvelopeFuzzTest::pairs,
                    message -> message.body(Envelope.Attached.class),
                    message -> message.body(Long.class),
                    message -> message.body(Envelope.Wanted.class),
                    message -> told(message.problem()),
                    EnvelopeFuzzTest::facts,
                    message -> message.list(FileAnswer.class),
                    message -> message.body(Prepared.class),
                    message -> message.body(Account.class));

    @TempDir(factory = InMemory.class)
    private static Path home;

    private static String realHome;

    /** Digests of files are kept there. */
    @BeforeAll
    static void moveHome() {
        realHome = System.setProperty("user.home", home.toString());
    }

    @AfterAll
    static void moveBack() {
        System.setProperty("user.home", realHome);
    }

    static Stream<byte[]> seeds() {
        return Stream.concat(
                Bodies.all().entrySet().stream().map(each -> seed(each.getKey(), each.getValue())),
                Stream.of(
                        seed(WHOLE | 9, "{\"kind\":\"OK\",\"number\":1,\"body\":null}"),
                        seed(WHOLE | 9, "[]"),
                        seed(9, "{\"exitCode\":\"FAILED\",\"what\":\"x\"}")));
    }

    private static byte[] seed(int as, String text) {
        byte[] json = text.getBytes(StandardCharsets.UTF_8);
        byte[] input = new byte[json.length + 1];
        input[0] = (byte) as;
        System.arraycopy(json, 0, input, 1, json.length);
        return input;
    }

    @MethodSource("seeds")
    @DictionaryFile(resourcePath = "bodies.dict")
    @Timeout(60)
    @FuzzTest
    void messagesAreReadOrRefused(byte[] input) throws Exception {
        if (input.length == 0) {
            return;
        }
        String json = new String(input, 1, input.length - 1, StandardCharsets.UTF_8);
        boolean whole = (input[0] & WHOLE) != 0;
        Use use = USES.get(Math.floorMod(input[0] & ~WHOLE, USES.size()));
        try {
            Envelope message =
                    Envelope.parse(
                            Frame.Control.of(
                                    whole
                                            ? json
                                            : "{\"kind\":\"PROBLEM\",\"number\":1,\"body\":%s}"
                                                    .formatted(json)));
            Object body = use.of(message);
            Whole.orLacking(body);
            JsonNode sent = Envelope.of(Kind.OK, 2, body).body();
            Envelope again = Envelope.parse(Envelope.of(Kind.OK, 2, body).toFrame());
            if (!(body instanceof Problem)) {
                assertEquals(sent, Envelope.of(Kind.OK, 2, use.of(again)).body());
            }
        } catch (IOException | Problem | IllegalArgumentException | IllegalStateException e) {
            // as Receiver.reply and Line have it
        }
    }

    private static Survey survey(Envelope message) throws IOException {
        Survey survey = message.body(Survey.class);
        plan(survey.network().plan());
        for (InetSocket each : survey.network().sockets()) {
            for (InetSocket other : survey.network().sockets()) {
                assertEquals(each.clashesWith(other), other.clashesWith(each));
            }
            assertFalse(each.at("10.0.0.1").toString().isEmpty());
        }
        return survey;
    }

    private static Order order(Envelope message) throws IOException {
        Order order = message.body(Order.class);
        StartOptions own = order.start().withOwnNetwork().withStartScript(Path.of("/x"));
        assertEquals(order.start().inUserNamespace(), own.inUserNamespace());
        Overlay.of(order.start().arguments());
        order.logs().forEach(Logs.Held::external);
        order.logs().forEach(Logs.Held::inherited);
        plan(order.network());
        return order;
    }

    private static void plan(NetworkPlan plan) {
        NetworkLock lock = new NetworkLock(NetSpace.here(), "m1");
        plain(lock.silencing(plan.addresses()));
        plain(lock.silencing(plan.rebound()));
    }

    /** Words of an nft command, of which none ends it. */
    private static void plain(String command) {
        command.lines()
                .forEach(line ->
                        assertTrue(
                                line.matches("add element \\w+ migrator-m1 \\w+ \\{ [^;{}\"#]* }"),
                                line));
    }

    private static List<FileClaim> claims(Envelope message) throws IOException, Problem {
        List<FileClaim> claims = message.list(FileClaim.class);
        assertEquals(claims.size(), FileAnswers.of(claims).size());
        return claims;
    }

    private static List<CarriedFile> carried(Envelope message) throws IOException {
        List<CarriedFile> files = message.list(CarriedFile.class);
        for (CarriedFile each : files) {
            assertEquals(Path.of(each.path()).normalize().toString(), each.path());
            assertFalse(each.path().chars().anyMatch(Character::isISOControl));
        }
        return files;
    }

    private static List<NetworkLock.Pair> pairs(Envelope message) throws IOException {
        List<NetworkLock.Pair> pairs = message.list(NetworkLock.Pair.class);
        plain(new NetworkLock(NetSpace.here(), "m1").cutting(pairs));
        return pairs;
    }

    private static TargetFacts facts(Envelope message) throws IOException {
        TargetFacts facts = message.body(TargetFacts.class);
        facts.clocks().minus(facts.clocks());
        return facts;
    }

    private static Problem told(Problem problem) {
        for (String each : Arrays.asList(problem.what(), problem.because(), problem.tryThis())) {
            assertFalse(each.chars().anyMatch(c -> c == '\u001b' || c == '\u009b'), each);
        }
        return problem;
    }
}
