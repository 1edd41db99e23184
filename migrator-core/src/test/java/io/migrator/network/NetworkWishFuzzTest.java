package io.migrator.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;

/** What is asked of a network is understood or not, and can stand in commands then. */
class NetworkWishFuzzTest {
    static Stream<byte[]> seeds() {
        return Stream.of(
                        "auto",
                        "listen-only",
                        "service-ip=10.0.0.1/24@eth0,fd00::1/64@eth0",
                        "service-ip=::ffff:10.0.0.1/120@a",
                        "service-ip=10.1/8@x; rm",
                        "service-ip=fe80::1%eth0/64@eth0")
                .map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void wishesAreUnderstoodOrNot(byte[] input) {
        NetworkWish wish;
        try {
            wish = NetworkWish.parse(new String(input, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            return;
        }
        assertEquals(wish.kind() == NetworkWish.Kind.SERVICE_IP, !wish.addresses().isEmpty());
        for (InterfaceAddress each : wish.addresses()) {
            assertTrue(
                    each.toString().matches("[0-9a-f:.]+/[0-9]{1,3}@[A-Za-z0-9][A-Za-z0-9_.-]*"));
            assertEquals(each, InterfaceAddress.parse(each.toString()));
            assertTrue(each.reaches(each.ip()));
            assertEquals(each.six() ? 16 : 4, each.bytes().length);
        }
    }
}
