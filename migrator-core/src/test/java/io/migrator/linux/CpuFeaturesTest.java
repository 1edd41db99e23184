package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.Set;

class CpuFeaturesTest {
    @Test
    void instructionsOnly() throws IOException {
        String text = "processor\t: 0\nflags\t\t: fpu sse4_2 avx512f pti ibrs xsavec popcnt\n";
        assertEquals(Set.of("sse4_2", "avx512f", "xsavec", "popcnt"), CpuFeatures.in(text));
    }

    @Test
    void noneToBeSeen() {
        assertThrows(IOException.class, () -> CpuFeatures.in("processor : 0\n"));
    }
}
