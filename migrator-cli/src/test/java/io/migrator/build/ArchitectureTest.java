package io.migrator.build;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import org.junit.jupiter.api.Test;

import java.util.Set;
import java.util.TreeSet;

/** Holds the layers of all modules together; it is here because only this module sees them all. */
class ArchitectureTest {
    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .withImportOption(location -> !location.contains("-tests.jar"))
                    .importPackages("io.migrator");

    /** Without classes every other rule would hold. */
    @Test
    void everyModuleWasFound() {
        Set<String> missing =
                new TreeSet<>(
                        Set.of(
                                "io.migrator.linux",
                                "io.migrator.ssh",
                                "io.migrator.lab",
                                "io.migrator.cli"));
        for (JavaClass found : CLASSES) {
            missing.remove(found.getPackageName());
        }
        assertEquals(Set.of(), missing, "packages in which no class was found");
    }

    @Test
    void packagesFormNoCycle() {
        slices().matching("io.migrator.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void nativeCodeIsCalledOnlyInLinux() {
        onlyIn("io.migrator.linux..", "java.lang.foreign..");
    }

    @Test
    void jschIsUsedOnlyInSsh() {
        onlyIn("io.migrator.ssh..", "com.jcraft.jsch..");
    }

    @Test
    void picocliIsUsedOnlyInCli() {
        onlyIn("io.migrator.cli..", "picocli..");
    }

    /** But for a few lines that are ours alone: sudo's rule, the demo's figures, the end of it. */
    @Test
    void textIsPrintedInOnePlace() {
        noClasses()
                .that()
                .resideInAPackage("io.migrator.cli")
                .and()
                .haveNameNotMatching(
                        ".*\\.(Terminal|SetupCommand|DemoCommand|ReceiveCommand\\$Answers)")
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .check(CLASSES);
    }

    private static void onlyIn(String home, String library) {
        noClasses()
                .that()
                .resideOutsideOfPackage(home)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library)
                .check(CLASSES);
    }
}
