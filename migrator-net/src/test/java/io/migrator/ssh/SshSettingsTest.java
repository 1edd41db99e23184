package io.migrator.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.util.List;

class SshSettingsTest {

    private static final SshSettings.Local LOCAL =
            new SshSettings.Local("alice", Path.of("/home/alice"), "/tmp/agent");

    private static final Destination NODE = new Destination(null, "n2");

    private static SshSettings settings(String... lines) {
        return SshSettings.parse(List.of(lines), NODE, LOCAL);
    }

    private static List<Path> paths(String... names) {
        return List.of(names).stream().map(Path::of).toList();
    }

    @Test
    void withoutAConfigurationSshsDefaultsHold() {
        SshSettings settings = SshSettings.withoutConfiguration(NODE, LOCAL);
        assertEquals("alice", settings.user());
        assertEquals("n2", settings.hostName());
        assertEquals(22, settings.port());
        assertNull(settings.hostKeyAlias());
        assertFalse(settings.onlyIdentityFiles());
        assertEquals(Path.of("/tmp/agent"), settings.agentSocket());
        assertEquals(
                paths("/home/alice/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"),
                settings.knownHosts());
        assertTrue(settings.identityFiles().contains(Path.of("/home/alice/.ssh/id_ed25519")));
        assertTrue(settings.jumps().isEmpty() && settings.obstacles().isEmpty());
    }

    @Test
    void aUserInTheDestinationHoldsWithoutAConfiguration() {
        Destination bob = new Destination("bob", "n2");
        assertEquals("bob", SshSettings.withoutConfiguration(bob, LOCAL).user());
    }

    @Test
    void whatSshPrintsIsUnderstood() {
        SshSettings settings =
                settings(
                        "host n2",
                        "user bob",
                        "hostname 10.0.0.2",
                        "port 2222",
                        "hostkeyalias node2",
                        "identitiesonly yes",
                        "identityfile ~/.ssh/a",
                        "identityfile %d/keys/%r@%n-%h",
                        "identityfile /keys/%C",
                        "identityagent none",
                        "userknownhostsfile /home/alice/.ssh/known_hosts ~/.ssh/kh2",
                        "globalknownhostsfile none",
                        "proxyjump gate,bob@in:2200",
                        "proxycommand none",
                        "revokedhostkeys /etc/ssh/revoked");
        assertEquals("bob", settings.user());
        assertEquals("10.0.0.2", settings.hostName());
        assertEquals(2222, settings.port());
        assertEquals("node2", settings.hostKeyAlias());
        assertTrue(settings.onlyIdentityFiles());
        assertNull(settings.agentSocket());
        assertEquals(
                paths("/home/alice/.ssh/a", "/home/alice/keys/bob@n2-10.0.0.2"),
                settings.identityFiles());
        assertEquals(
                paths("/home/alice/.ssh/known_hosts", "/home/alice/.ssh/kh2"),
                settings.knownHosts());
        assertEquals(List.of("gate", "bob@in:2200"), settings.jumps());
        assertEquals(List.of("revokedhostkeys /etc/ssh/revoked"), settings.obstacles());
    }

    @Test
    void anAgentMayHaveASocketOfItsOwn() {
        assertEquals(Path.of("/home/alice/agent"), settings("identityagent ~/agent").agentSocket());
        assertEquals(Path.of("/tmp/agent"), settings("identityagent SSH_AUTH_SOCK").agentSocket());
    }
}
