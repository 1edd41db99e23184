package io.migrator.cli.bench;

import io.migrator.problem.Problem;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Between which nodes is measured. */
final class Nodes {
    @Option(names = "--lab", description = "From n1 to n2 of the lab. So it is without --nodes.")
    private boolean lab;

    @Option(
            names = "--nodes",
            split = ",",
            paramLabel = "NODE",
            description =
                    "From the first of these two to the second: root logs in to both by ssh"
                            + " without a password, and both have migrator.")
    private List<String> names = List.of();

    @Option(
            names = "--shared",
            paramLabel = "DIR",
            description =
                    "With --nodes: a directory that both and this machine see by this path, and"
                            + " into which root may write.")
    private @Nullable Path shared;

    @Option(
            names = "--image",
            paramLabel = "FILE",
            description = "With --nodes: an image for the job, which both see by this path.")
    private @Nullable Path image;

    @Option(
            names = "--service-ip",
            paramLabel = "A/L@DEV",
            description =
                    "With --nodes: a free address that may move, for the cases with connections.")
    private String service = "";

    /** What is done with them. */
    @FunctionalInterface
    interface Work<T> {
        T on(Site site) throws Problem, InterruptedException;
    }

    /** Makes a directory for the run, does the work, and removes the directory. */
    <T> T with(Work<T> work) throws Problem, InterruptedException {
        Site site = site("migrator-bench-" + ProcessHandle.current().pid());
        boolean made = false;
        try {
            Files.createDirectory(site.directory()); // what root runs from there is nobody else's
            Files.setPosixFilePermissions(
                    site.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
            made = true;
            if (site instanceof SshSite nodes) {
                nodes.bringPrograms();
            }
            return work.on(site);
        } catch (IOException e) {
            throw Problem.failed("could not write into the shared directory").because(e.toString());
        } finally {
            if (made) {
                delete(site.directory());
            }
        }
    }

    private Site site(String run) throws Problem, InterruptedException {
        if (names.isEmpty()) {
            return LabSite.up(run);
        }
        if (lab || names.size() != 2 || shared == null || image == null) {
            throw Problem.usage("--nodes is not understood")
                    .because("it takes two nodes, and --shared and --image, and not --lab")
                    .tryThis("--nodes node1,node2 --shared /scratch --image /scratch/job.sif");
        }
        return SshSite.of(
                names.getFirst(),
                names.getLast(),
                shared.toAbsolutePath().resolve(run),
                image.toAbsolutePath().toString(),
                service);
    }

    private static void delete(Path directory) throws Problem {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path each : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        } catch (IOException e) {
            throw Problem.failed("could not remove " + directory).because(e.toString());
        }
    }
}
