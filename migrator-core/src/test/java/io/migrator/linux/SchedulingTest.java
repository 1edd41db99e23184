package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;

class SchedulingTest {
    @Test
    void readsWhatTheKernelLists() throws IOException {
        assertEquals("{0, 1, 2, 8, 63, 64}", Scheduling.processors("0-2,8,63-64").toString());
    }

    /** It comes from a peer. */
    @ParameterizedTest
    @ValueSource(strings = {"", "a", "3-1", "-1", "0-99999999", "1,,2"})
    void refusesAnythingElse(String list) {
        assertThrows(IOException.class, () -> Scheduling.processors(list));
    }

    @Test
    void anAffinityIsSetAndRead() throws IOException {
        Proc self = Proc.self();
        String now = self.status("Cpus_allowed_list").orElseThrow();
        Scheduling.setAffinity(self, now);
        assertEquals(now, self.status("Cpus_allowed_list").orElseThrow());
    }
}
