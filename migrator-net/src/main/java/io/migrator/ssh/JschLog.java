package io.migrator.ssh;

import com.jcraft.jsch.Logger;

/** What JSch has to say, for {@code --debug}. */
final class JschLog implements Logger {

    private static final System.Logger LOG = System.getLogger("io.migrator.ssh.jsch");

    @Override
    public boolean isEnabled(int level) {
        return LOG.isLoggable(System.Logger.Level.DEBUG);
    }

    @Override
    public void log(int level, String message) {
        LOG.log(System.Logger.Level.DEBUG, message);
    }
}
