package io.migrator.criu;

/** The notifications of criu at which it waits for a verdict (criu.org/RPC, notify_scripts). */
public enum Notify {
    /** A dump is about to begin: criu has looked at the kernel, and the payload runs. */
    PRE_DUMP("pre-dump"),
    /** Images are complete, all threads are held by ptrace. */
    POST_DUMP("post-dump"),
    /** All resources are made; no instruction of the payload has run, its network is locked. */
    POST_RESTORE("post-restore"),
    /** The network is unlocked; the payload is about to run. */
    PRE_RESUME("pre-resume");

    private final String text;

    Notify(String text) {
        this.text = text;
    }

    /** criu's own name of it. */
    public String text() {
        return text;
    }
}
