package io.migrator.ssh;

/** Which SSH client to use. */
public enum TransportChoice {
    /** JSch, and the site's own client where JSch cannot log in or follow the configuration. */
    AUTO,
    /** JSch only. */
    JSCH,
    /** The site's own {@code ssh} program only. */
    SSH
}
