package io.migrator.cli.bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;

import io.migrator.problem.Problem;

import java.util.List;

/**
 * The payload {@code pattern}, which tells how long it stood still and whether its memory is right
 * (pattern.c). Used by one thread.
 */
final class Pattern implements Payload {
    private final Site site;
    private final BenchCase what;
    private final String name;
    private final ReportFile<Report> report;

    /** A payload that has not been started. */
    Pattern(Site site, BenchCase what, String name) {
        this.site = site;
        this.what = what;
        this.name = name;
        this.report = new ReportFile<>(site, name + ".json", Report.class);
    }

    /** What of its report matters here. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Report(
            int seq, long bad, boolean verified, double maxGapMillis, long writes, double unixTime)
            implements ReportFile.Numbered {}

    @Override
    public String name() {
        return name;
    }

    /** How it is started. */
    List<String> words() {
        return List.of(
                site.programs() + "/pattern",
                "--mb",
                Integer.toString(what.megabytes()),
                "--rate",
                Integer.toString(what.rate()),
                "--processes",
                Integer.toString(what.processes()),
                "--report",
                report.inside());
    }

    /** Returns when its memory is filled. */
    @Override
    public void start(Starter starter) throws Problem, InterruptedException {
        starter.start(List.of(), words());
        filled();
    }

    /** Returns when its memory is. */
    void filled() throws Problem, InterruptedException {
        report.next();
    }

    @Override
    public Look look() throws Problem, InterruptedException {
        if (!signalled(site.source(), "USR1")) {
            orNowhere(signalled(site.target(), "USR1"));
        }
        Report told = report.next();
        return new Look(told.maxGapMillis, null, told.writes, told.unixTime);
    }

    /** Every page of its memory is checked, on the target. */
    @Override
    public void verify() throws Problem, InterruptedException {
        orNowhere(signalled(site.target(), "USR2"));
        Report told = report.next();
        if (!told.verified || told.bad != 0) {
            throw Problem.failed("the payload found %d wrong pages".formatted(told.bad));
        }
    }

    @Override
    public void close() {
        // it is in its job
    }

    /** All of its processes but the first have it blocked. */
    private boolean signalled(String node, String signal) throws Problem, InterruptedException {
        String command = "--report " + report.inside();
        return site.exec(node, List.of("pkill", "-" + signal, "-f", "--", command)).ok();
    }

    private static void orNowhere(boolean signalled) throws Problem {
        if (!signalled) {
            throw Problem.failed("the payload does not run where it should");
        }
    }
}
