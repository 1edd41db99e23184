package io.migrator.it;

import io.migrator.fault.FaultPoint;

/**
 * A line of the table: a fault at a point, and what has to come of it.
 *
 * @param exit of migrate; 137 where it is killed
 * @param atOnce where the job runs when migrate has ended: n1, n2, or stands
 * @param after where it runs after one recover on each node
 * @param talks true if the job's TCP connection has to be alive; else it is only looked at
 */
record FaultCase(
        FaultPoint point, Fault fault, int exit, String atOnce, String after, boolean talks) {
    private static final int COLUMNS = 6;

    static FaultCase parse(String line) {
        String[] cells = line.split("\t", -1);
        if (cells.length != COLUMNS) {
            throw new IllegalArgumentException("not " + COLUMNS + " columns: " + line);
        }
        FaultPoint point =
                FaultPoint.of(cells[0])
                        .orElseThrow(() -> new IllegalArgumentException("no point: " + line));
        return new FaultCase(
                point,
                Fault.of(cells[1]),
                Integer.parseInt(cells[2]),
                cells[3],
                cells[4],
                cells[5].equals("alive"));
    }

    /**
     * The same of a job with a client on another machine, whose connection has to live wherever the
     * job ends; but where criu dies with the sockets in repair mode.
     */
    FaultCase streaming() {
        boolean inRepair =
                point == FaultPoint.SOURCE_HELD
                        && (fault == Fault.SOURCE_CRIU || fault == Fault.SOURCE_SIDE);
        return new FaultCase(point, fault, exit, atOnce, after, !inRepair);
    }

    /** The same of a job without a connection. */
    FaultCase silent() {
        return new FaultCase(point, fault, exit, atOnce, after, false);
    }

    String name() {
        return point.text() + " " + fault.text();
    }

    @Override
    public String toString() {
        return name();
    }
}
