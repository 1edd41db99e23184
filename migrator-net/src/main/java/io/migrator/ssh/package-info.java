/**
 * Starting programs on another node over the user's own SSH: the only importer of JSch.
 *
 * <p>In comes a {@link io.migrator.ssh.Destination Destination}; {@link io.migrator.ssh.Dialer
 * Dialer} turns it into a {@link io.migrator.ssh.Transport Transport} (JSch, or the site's own
 * {@code ssh} program), which starts {@link io.migrator.ssh.RemoteProcess RemoteProcess}es; their
 * standard input and output carry the frames of {@code io.migrator.wire}.
 *
 * <p>Host keys are always checked and never added; nothing is ever asked; no port is opened. Every
 * failure to connect is a refusal that names a remedy: nothing has been touched yet. The user's SSH
 * configuration is read by {@code ssh -G}, which alone understands all of it ({@link
 * io.migrator.ssh.SshSettings SshSettings}).
 */
@NullMarked
package io.migrator.ssh;

import org.jspecify.annotations.NullMarked;
