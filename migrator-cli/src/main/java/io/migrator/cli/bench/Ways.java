package io.migrator.cli.bench;

import io.migrator.cli.bench.ByHandWay.How;
import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Set;

/** The ways by their names; Podman is installed once, when it is wanted first. One thread. */
final class Ways {
    /** The one with which the others are compared. */
    static final String BASELINE = "by-hand";

    static final List<String> NAMES =
            List.of(
                    "auto",
                    "stop",
                    "precopy",
                    "hybrid",
                    BASELINE,
                    "by-hand-disk",
                    "page-server",
                    "lazy",
                    "podman");

    private static final Set<String> OURS = Set.of("auto", "stop", "precopy", "hybrid");

    private final Site site;
    private @Nullable PodmanWay podman;
    private @Nullable Problem noPodman;

    Ways(Site site) {
        this.site = site;
    }

    /** Whether it is a way of migrator's. */
    static boolean isOurs(String name) {
        return OURS.contains(name);
    }

    /** The way of a name, for the payload of a case. */
    Way of(String name, BenchCase what) throws Problem, InterruptedException {
        boolean keeps = what.connections() > 0;
        return switch (name) {
            case BASELINE -> new ByHandWay(How.STOP, site, keeps);
            case "by-hand-disk" -> new ByHandWay(How.DISK, site, keeps);
            case "page-server" -> new ByHandWay(How.PAGE_SERVER, site, orWithout(keeps, name));
            case "lazy" -> new ByHandWay(How.LAZY, site, orWithout(keeps, name));
            case "podman" -> podman();
            default -> {
                ByHandWay cleaner = new ByHandWay(How.STOP, site, keeps);
                yield new MigratorWay(site, name, what.compress(), cleaner);
            }
        };
    }

    private static boolean orWithout(boolean keeps, String name) throws Problem {
        if (keeps) {
            throw Problem.failed("'" + name + "' does not take connections along here");
        }
        return false;
    }

    private PodmanWay podman() throws Problem, InterruptedException {
        if (noPodman != null) {
            throw Problem.failed(noPodman.what()).because(noPodman.because());
        }
        try {
            podman = podman == null ? PodmanWay.on(site) : podman;
            return podman;
        } catch (Problem e) {
            noPodman = e;
            throw e;
        }
    }
}
