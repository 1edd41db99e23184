package io.migrator.network;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;

class SettingsTest {
    /** Setting ip_forward resets what each interface has (ip-sysctl), and all/ resets each. */
    @Test
    void whatResetsOthersComesFirst() {
        Map<String, String> wanted =
                Map.of(
                        "ipv4/conf/eth0/accept_redirects", "1",
                        "ipv4/conf/default/accept_redirects", "1",
                        "ipv4/conf/all/accept_redirects", "1",
                        "ipv4/ip_forward", "1",
                        "ipv4/tcp_sack", "1");
        Map<String, String> there =
                Map.of(
                        "ipv4/conf/eth0/accept_redirects", "0",
                        "ipv4/conf/default/accept_redirects", "0",
                        "ipv4/conf/all/accept_redirects", "0",
                        "ipv4/ip_forward", "0",
                        "ipv4/tcp_sack", "1");
        assertEquals(
                List.of(
                        "net/ipv4/ip_forward=1",
                        "net/ipv4/conf/all/accept_redirects=1",
                        "net/ipv4/conf/default/accept_redirects=1",
                        "net/ipv4/conf/eth0/accept_redirects=1"),
                Settings.text(wanted, there).lines().toList());
    }
}
