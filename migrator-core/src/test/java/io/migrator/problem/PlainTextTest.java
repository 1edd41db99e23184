package io.migrator.problem;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class PlainTextTest {

    @Test
    void nothingSteersATerminal() {
        assertEquals("a.[2Jb.c.d\n\te", PlainText.of("a\u001b[2Jb\u009bc\u202ed\n\te"));
        assertEquals("Grüße, 日本", PlainText.of("Grüße, 日本"));
    }

    @Test
    void aLineIsOne() {
        assertEquals("a.b.c.d.e.f", PlainText.line("a\nb\rc\td\u2028e\u2029f", 99));
    }

    @Test
    void aLineIsNoLongerThanItMayBe() {
        assertEquals("123456", PlainText.line("123456", 6));
        assertEquals("123...", PlainText.line("1234567", 6));
        assertEquals("...", PlainText.line("1234567", 3));
    }
}
