package io.migrator.it;

import static io.migrator.it.TwoNodes.N1;
import static io.migrator.it.TwoNodes.N2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertIterableEquals;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Programs that people run on clusters are moved three times in mid-run, and nobody can tell it
 * from what they leave.
 *
 * <p>All of them are deterministic as they are started here, with two threads or ranks, too: runs
 * left the same results bit for bit, on a busy machine as on an idle one (seen of LAMMPS and Vina
 * in two undisturbed runs, of GROMACS in the first 5900 steps of two, and in the moved ones). So
 * nothing is compared loosely but what is about the run and not of it: times, dates, process ids,
 * and md.cpt, a checkpoint of GROMACS, which only has to be there.
 */
@Tag("long")
class WorkloadsIT {
    private static final String NAME = "job";
    private static final String SCRATCH = "/srv/scratch";
    private static final String WORK = SCRATCH + "/work";
    private static final List<String> MOVES_FROM = List.of(N1, N2, N1);

    /** Many times what a run takes on an idle machine. */
    private static final Duration RUN = Duration.ofMinutes(8);

    private static final String MELT =
            "lmp -in /opt/workloads/melt.lmp -var size 20 -var steps 4000 -var dir . -log log.lmp";

    /** What Open MPI leaves when it is killed; another user's is in its way. */
    private static final String MPI_LEFT = "/tmp/ompi* /dev/shm/sm_segment*";

    @RegisterExtension static final TwoNodes NODES = new TwoNodes();

    /** What a program leaves when nobody disturbs it; the mode makes no difference to it. */
    private static final Map<Program, Map<String, List<String>>> UNDISTURBED =
            new EnumMap<>(Program.class);

    private final Person alice = NODES.as("alice");

    /** A program, and how to read what it leaves. */
    enum Program {
        GROMACS(
                "gmx -quiet mdrun -s /opt/workloads/water.tpr -ntmpi 1 -ntomp 2 -reprod"
                        + " -nsteps 10000 -deffnm md",
                "md.log",
                "Step +Time",
                "md.gro",
                "(?m)(?<=^Process ID:).*|(?<=mdrun on rank [0#] ).*|(?<=step 10000 at ).*",
                "R E A L   C Y C L E|Core t ",
                "md.cpt"),
        LAMMPS(
                MELT + " -sf omp -pk omp 2",
                "log.lmp",
                "^ +[0-9]+ ",
                "melt.data",
                Program.MELT_OF_THE_RUN,
                "Loop time of"),
        LAMMPS_MPI(
                "mpirun --allow-run-as-root --oversubscribe -np 2 " + MELT,
                "log.lmp",
                "^ +[0-9]+ ",
                "melt.data",
                Program.MELT_OF_THE_RUN,
                "Loop time of"),
        VINA(
                "vina --receptor /opt/workloads/receptor.pdbqt --ligand"
                        + " /opt/workloads/ligand.pdbqt --center_x 0 --center_y 0 --center_z 2"
                        + " --size_x 16 --size_y 16 --size_z 16 --seed 17 --cpu 2"
                        + " --exhaustiveness 48 --out v.pdbqt",
                "stdout",
                "[*]",
                "v.pdbqt",
                Program.NONE,
                Program.NONE);

        private static final String MEASURED = "[0-9.:]+(e[-+][0-9]+)?";

        /** A regular expression that is found nowhere: Vina tells no times. */
        private static final String NONE = "(?!)";

        private static final String MELT_OF_THE_RUN =
                "(?<=create_atoms CPU = ).*|[kM](?=atom-step/s)";

        private final String command;
        private final String log;
        private final String step;
        private final String last;
        private final Pattern ofTheRun;
        private final Pattern timesFrom;
        private final List<String> dated;

        /**
         * A program.
         *
         * @param command what bash runs in the working directory
         * @param log what it writes as it goes on; a file of the working directory, or stdout
         * @param step a regular expression of grep that is in the log once for each step forward
         * @param last the file that it writes at its end
         * @param ofTheRun what in its texts differs from run to run
         * @param timesFrom from there on all numbers in its texts are measured
         * @param dated files that no two runs leave alike
         */
        Program(
                String command,
                String log,
                String step,
                String last,
                String ofTheRun,
                String timesFrom,
                String... dated) {
            this.command = command;
            this.log = log;
            this.step = step;
            this.last = last;
            this.ofTheRun = Pattern.compile(ofTheRun);
            this.timesFrom = Pattern.compile(timesFrom);
            this.dated = List.of(dated);
        }

        /** The lines of a text without what differs by nature; each line is still there. */
        List<String> lines(String text) {
            Matcher times = timesFrom.matcher(text);
            int end = times.find() ? times.start() : text.length();
            String measured = text.substring(end).replaceAll(MEASURED, "#");
            String exact = ofTheRun.matcher(text.substring(0, end)).replaceAll("#");
            return (exact + ofTheRun.matcher(measured).replaceAll("#").replaceAll(" +", " "))
                    .lines()
                    .toList();
        }
    }

    @BeforeAll
    static void makeImage() throws Exception {
        NODES.makeApps();
    }

    @BeforeEach
    void makeScratch() throws Exception {
        cleanUp();
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "mkdir -m 1777 " + SCRATCH);
        }
    }

    @AfterEach
    void cleanUp() throws Exception {
        for (String node : TwoNodes.BOTH) {
            NODES.bash(node, "rm -rf %s %s".formatted(SCRATCH, MPI_LEFT));
            NODES.bash(node, "rm -rf /etc/sudoers.d/migrator /var/lib/migrator/{foothold,allow-*}");
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "LAMMPS_MPI")
    void unprivileged(Program program) throws Exception {
        compare(alice, program, "--userns");
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "LAMMPS_MPI")
    void withTheSetuidStarter(Program program) throws Exception {
        NODES.setUp();
        compare(alice, program);
    }

    @Test
    void ranksInANetworkOfTheirOwn() throws Exception {
        compare(NODES, Program.LAMMPS_MPI, "--net", "own");
    }

    @Test
    void unprivilegedRanksInANetworkOfTheirOwn() throws Exception {
        compare(alice, Program.LAMMPS_MPI, "--userns", "--net", "own");
    }

    private static void compare(Person person, Program program, String... mode) throws Exception {
        if (!UNDISTURBED.containsKey(program)) {
            start(person, program, mode);
            awaitEnd(person, program, N1);
            UNDISTURBED.put(program, left(person, program, N1));
            person.stop(N1, NAME);
            NODES.bash(N1, "rm -rf %s %s".formatted(WORK, MPI_LEFT));
        }
        start(person, program, mode);
        for (String from : MOVES_FROM) {
            assertGoesOn(person, program, from);
            Moved moved = person.migrate(from, NAME, "--files", "carry").well();
            System.out.printf(
                    "workloads: %s %s from %s: frozen %.0f ms%n",
                    program,
                    String.join(" ", mode),
                    from,
                    moved.json().path("frozenMillis").asDouble());
        }
        assertGoesOn(person, program, N2);
        awaitEnd(person, program, N2);
        assertEquals("", NODES.bash(N1, "find %s -type f".formatted(WORK)));
        assertSame(UNDISTURBED.getOrDefault(program, Map.of()), left(person, program, N2));
        person.stop(N2, NAME);
    }

    private static void start(Person person, Program program, String... mode) throws Exception {
        person.bash(N1, "umask 0; mkdir " + WORK);
        List<String> options = new ArrayList<>(List.of(mode));
        options.addAll(List.of("--bind", SCRATCH + ":" + SCRATCH, TwoNodes.APPS));
        person.start(
                N1, NAME, options, "bash", "-c", "cd %s; exec %s".formatted(WORK, program.command));
    }

    /** It is in mid-run: it makes a step where it is now, and more are to come. */
    private static void assertGoesOn(Person person, Program program, String node) throws Exception {
        String steps =
                "steps() { grep -oE '%s' %s 2>/dev/null | wc -l; }; before=$(steps);"
                        .formatted(program.step, path(person, program.log));
        person.bash(
                node,
                steps
                        + " for _ in {1..250}; do"
                        + " [[ $(steps) -gt $before ]] && exit; sleep 0.1; done; exit 9");
        person.payload(node, NAME);
        person.bash(node, "[[ ! -e %s/%s ]]".formatted(WORK, program.last));
    }

    private static void awaitEnd(Person person, Program program, String node) throws Exception {
        String line = "while [[ -e /proc/%d ]]; do sleep 0.2; done; [[ -s %s/%s ]]";
        assertEquals(
                0,
                person.run(
                                RUN,
                                node,
                                "bash",
                                "-c",
                                line.formatted(person.payload(node, NAME), WORK, program.last))
                        .exit(),
                () -> program + " ended without " + program.last);
    }

    /** All its files, by their names: the lines of a text, the digest of another. */
    private static Map<String, List<String>> left(Person person, Program program, String node)
            throws Exception {
        List<String> texts = List.of(program.log, "stdout", "stderr");
        List<String> names = new ArrayList<>(person.out(node, "ls", WORK).lines().toList());
        names.addAll(List.of("stdout", "stderr"));
        Map<String, List<String>> left = new TreeMap<>();
        for (String name : names) {
            String path = path(person, name);
            if (texts.contains(name)) {
                left.put(name, program.lines(person.out(node, "cat", path)));
            } else if (program.dated.contains(name)) {
                left.put(name, List.of("is there"));
            } else {
                left.put(name, List.of(person.bash(node, "sha256sum <" + path)));
            }
        }
        return left;
    }

    private static String path(Person person, String name) {
        return (name.startsWith("std") ? person.directoryOf(NAME) : WORK) + "/" + name;
    }

    private static void assertSame(
            Map<String, List<String>> expected, Map<String, List<String>> actual) {
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, lines) -> assertIterableEquals(lines, actual.get(name), name));
    }
}
