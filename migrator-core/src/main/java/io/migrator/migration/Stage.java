package io.migrator.migration;

/** The stages of a migration, in order; their names are those of the JSON result's phases. */
public enum Stage {
    CHECK("check"),
    PREPARE("prepare"),
    PRECOPY("precopy"),
    DUMP("dump"),
    LOAD("load"),
    NETWORK("network"),
    HANDOVER("handover"),
    FILL("fill"),
    CLEAN("clean");

    private final String text;

    Stage(String text) {
        this.text = text;
    }

    /** Lower case, as it is shown. */
    public String text() {
        return text;
    }
}
