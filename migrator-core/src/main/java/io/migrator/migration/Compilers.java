package io.migrator.migration;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * The compilers of this virtual machine. They take the processors while a job stands still, for
 * code that will hardly run again (docs/decisions/0017). Any thread.
 */
final class Compilers {
    private static final String COMMANDS = "com.sun.management:type=DiagnosticCommand";
    private static final String NOTHING =
            "[{match: \"*.*\", c1: {Exclude: true}, c2: {Exclude: true}}]";
    private static final String FILE = "compilers";

    private static volatile @Nullable Path order;

    private Compilers() {}

    /**
     * Loads what {@link #stop} needs, which takes a tenth of a second; once.
     *
     * @param directory for a small file, which must be there until then
     */
    static void prepare(Path directory) throws IOException {
        if (order != null) {
            return;
        }
        try {
            server().getMBeanInfo(new ObjectName(COMMANDS));
            Path file = directory.resolve(FILE);
            Files.writeString(file, NOTHING);
            order = file;
        } catch (JMException e) {
            // another virtual machine: then they are not stopped
        }
    }

    private static MBeanServer server() {
        return ManagementFactory.getPlatformMBeanServer();
    }

    /**
     * From here on nothing is compiled any more, for good; what is compiled remains (the diagnostic
     * command Compiler.directives_add of HotSpot). Does nothing if it was not prepared.
     */
    static void stop() {
        Path file = order;
        if (file == null) {
            return;
        }
        try {
            Object[] arguments = {new String[] {file.toString()}};
            String[] types = {String[].class.getName()};
            server().invoke(new ObjectName(COMMANDS), "compilerDirectivesAdd", arguments, types);
        } catch (JMException e) {
            // the job stands still a little longer
        }
    }
}
