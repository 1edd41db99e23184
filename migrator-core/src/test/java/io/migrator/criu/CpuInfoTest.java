package io.migrator.criu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

class CpuInfoTest {
    /** Of criu 4.2.1 on an AMD EPYC, whose CPUID leaf 0xD tells 2432. */
    private static final byte[] IMAGE =
            Base64.getDecoder()
                    .decode(
                            "GUNWVBNAQGGNAAAACooBCAIQGhgCIAEoAjD/96+8ATD/98+uAjAAMICAxBAwg+Tg9g8wADDx"
                                + "g4CgBDAAMAAwqYfsjQ8wBzDCvoHAATAAMIWAgIACMAQwADAAMAAwkAI6L094aWRlIFZp"
                                + "cnR1YWwgVHVyaW4tbGlrZSBQcm9jZXNzb3IgICAgICAgICAgICAgQOUBSIATUIAT");

    @Test
    void theSizeOfTheRegistersIsRead() {
        assertEquals(2432, CpuInfo.xsaveBytes(IMAGE));
    }

    @Test
    void whereNothingTellsItItIsNotKnown() {
        byte[] listed = "listed: avx avx2".getBytes(StandardCharsets.US_ASCII);
        assertEquals(0, CpuInfo.xsaveBytes(listed));
        assertEquals(0, CpuInfo.xsaveBytes(new byte[0]));
    }

    /** The first two words are not looked at. */
    @Test
    void anImageThatIsCutOffTellsNothing() {
        for (int length = 0; length < IMAGE.length; length++) {
            assertEquals(0, CpuInfo.xsaveBytes(Arrays.copyOf(IMAGE, length)), "of " + length);
        }
    }
}
