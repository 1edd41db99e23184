package io.migrator.ssh;

import com.jcraft.jsch.AgentIdentityRepository;
import com.jcraft.jsch.AgentProxyException;
import com.jcraft.jsch.Identity;
import com.jcraft.jsch.IdentityRepository;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.SSHAgentConnector;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.Vector;

/**
 * The keys to log in with, in OpenSSH's order: those of the agent that are also named in the
 * configuration, the agent's others, then key files. A key that would need a passphrase is left
 * out, with a note of it.
 */
final class JschKeys implements IdentityRepository {

    private final Vector<Identity> keys = new Vector<>();
    private final List<String> notes = new ArrayList<>();

    JschKeys(SshSettings settings) {
        Set<String> named = new HashSet<>();
        settings.identityFiles().forEach(file -> addPublicHalf(file, named));
        List<Identity> others = new ArrayList<>();
        for (Identity key : agentKeys(settings.agentSocket())) {
            (named.contains(blob(key)) ? keys : others).add(key);
        }
        if (!settings.onlyIdentityFiles()) {
            keys.addAll(others);
        }
        noteAgent();
        Set<String> held = new HashSet<>();
        keys.forEach(key -> held.add(blob(key)));
        settings.identityFiles().stream()
                .filter(Files::exists)
                .forEach(file -> addFile(file, held));
    }

    /** What was or was not offered, for the text of a refused login. */
    List<String> notes() {
        return List.copyOf(notes);
    }

    private void noteAgent() {
        if (!keys.isEmpty()) {
            notes.add(keys.size() + " keys of the ssh agent");
        }
    }

    private List<Identity> agentKeys(@Nullable Path socket) {
        if (socket == null) {
            return List.of();
        }
        try {
            SSHAgentConnector agent = new SSHAgentConnector(socket);
            if (agent.isAvailable()) {
                return new AgentIdentityRepository(agent).getIdentities();
            }
            notes.add("no ssh agent answers at " + socket);
        } catch (AgentProxyException e) {
            notes.add("the ssh agent cannot be used: " + e.getMessage());
        }
        return List.of();
    }

    private void addFile(Path file, Set<String> held) {
        try {
            for (Identity key : load(file)) {
                if (held.contains(blob(key))) {
                    key.clear();
                } else if (key.isEncrypted()) {
                    notes.add(file + " left out: it needs a passphrase (ssh-add it)");
                } else {
                    keys.add(key);
                    notes.add(file.toString());
                }
            }
        } catch (JSchException e) {
            notes.add(file + " left out: " + e.getMessage());
        }
    }

    /** JSch finds the public half and a certificate beside the file by itself. */
    private static List<Identity> load(Path file) throws JSchException {
        JSch loader = new JSch();
        loader.addIdentity(file.toString());
        return loader.getIdentityRepository().getIdentities();
    }

    private static void addPublicHalf(Path file, Set<String> blobs) {
        Path publicHalf = Path.of(file + ".pub");
        try {
            String[] words = Files.readString(publicHalf).split("\\s+", 3);
            if (words.length > 1) {
                blobs.add(words[1]);
            }
        } catch (IOException _) {
            // none there: then an agent's key cannot be told to be this one
        }
    }

    private static String blob(Identity key) {
        byte[] blob = key.getPublicKeyBlob();
        return blob == null ? "" : Base64.getEncoder().encodeToString(blob);
    }

    @Override
    public String getName() {
        return "migrator";
    }

    @Override
    public int getStatus() {
        return RUNNING;
    }

    @Override
    public Vector<Identity> getIdentities() {
        return keys;
    }

    @Override
    public boolean add(byte[] identity) {
        return false;
    }

    @Override
    public boolean remove(byte[] blob) {
        return false;
    }

    @Override
    public void removeAll() {
        keys.clear();
    }
}
