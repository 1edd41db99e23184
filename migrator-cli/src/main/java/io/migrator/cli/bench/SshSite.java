package io.migrator.cli.bench;

import io.migrator.linux.Command;
import io.migrator.linux.CpuSeconds;
import io.migrator.linux.NativeParts;
import io.migrator.problem.Problem;
import io.migrator.ssh.Destination;
import io.migrator.ssh.ShellWords;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Two nodes of a site, reached by its ssh(1) without a password; clients are on this machine.
 *
 * @param directory of this run, which both nodes see by the same path
 * @param service address that may move; empty if there is none
 * @param device by which the source reaches the target
 */
record SshSite(
        String source, String target, Path directory, String image, String service, String device)
        implements Site {

    /** Finds out what is not told. */
    static SshSite of(String source, String target, Path directory, String image, String service)
            throws Problem, InterruptedException {
        Destination.parse(source);
        String address = Destination.parse(target).host();
        ssh(target, List.of("true")).orFail(target + " cannot be reached");
        String route =
                ssh(
                                source,
                                List.of(
                                        "sh",
                                        "-c",
                                        "ip -o route get $(getent ahostsv4 '"
                                                + address
                                                + "' | head -n 1 | cut -d ' ' -f 1)"))
                        .orFail("how " + source + " reaches " + target + " is not seen")
                        .out();
        String device = route.replaceFirst("(?s).* dev (\\S+).*", "$1");
        return new SshSite(source, target, directory, image, service, device);
    }

    private static Command.Result ssh(String node, List<String> words)
            throws Problem, InterruptedException {
        return Command.of("ssh", "-o", "BatchMode=yes", node, ShellWords.line(words)).run(DEADLINE);
    }

    /** Brings the payload programs to where the nodes find them. */
    void bringPrograms() throws Problem {
        try {
            for (String each : List.of("pattern", "stream")) {
                Path program = NativeParts.home().resolve("lab/payload").resolve(each);
                Files.copy(
                        program,
                        directory.resolve(each),
                        StandardCopyOption.REPLACE_EXISTING,
                        StandardCopyOption.COPY_ATTRIBUTES);
            }
        } catch (IOException e) {
            throw Problem.failed("the payload could not be put into " + directory)
                    .because(e.toString());
        }
    }

    @Override
    public String inside() {
        return directory.toString();
    }

    @Override
    public String programs() {
        return directory.toString();
    }

    @Override
    public Command.Result exec(String node, List<String> words)
            throws Problem, InterruptedException {
        return ssh(node, words);
    }

    @Override
    public void link(String rate) throws Problem {
        if (!rate.equals("none")) {
            throw Problem.failed("the link of these nodes is not limited")
                    .because("that is done only in the lab");
        }
    }

    @Override
    public void install(List<String> packages) throws Problem {
        throw Problem.failed("packages are not installed on these nodes")
                .because("that is done only in the lab");
    }

    @Override
    public boolean isHere() {
        return false;
    }

    @Override
    public ClockDifference clocks() throws Problem {
        return ClockDifference.between(
                List.of("ssh", "-o", "BatchMode=yes", source),
                List.of("ssh", "-o", "BatchMode=yes", target));
    }

    @Override
    public double cpuSeconds() throws Problem, InterruptedException {
        double sum = 0;
        for (String node : List.of(source, target)) {
            sum +=
                    CpuSeconds.busy(
                            ssh(node, List.of("cat", "/proc/stat"))
                                    .orFail("the processors' time is not seen")
                                    .out());
        }
        return sum;
    }

    @Override
    public Process client(List<String> words) throws IOException {
        List<String> argv = new ArrayList<>(words);
        argv.set(0, directory.resolve(words.getFirst()).toString());
        return new ProcessBuilder(argv).inheritIO().redirectInput(new File("/dev/null")).start();
    }
}
