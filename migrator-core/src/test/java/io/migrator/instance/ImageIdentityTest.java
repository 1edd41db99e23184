package io.migrator.instance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.migrator.instance.ImageIdentity.Match;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;

class ImageIdentityTest {
    @TempDir Path directory;

    private ImageIdentity of(String name, String contents) throws Exception {
        return ImageIdentity.of(Files.writeString(directory.resolve(name), contents));
    }

    @Test
    void anImageIsComparedWithWhatIsInItsPlace() throws Exception {
        ImageIdentity ours = of("ours", "contents");
        assertEquals(Match.ABSENT, ours.match(null));
        assertEquals(Match.SAME_FILE, ours.match(ours));
        assertEquals(Match.SAME_DIGEST, ours.match(of("copy", "contents").withDigest()));
        assertEquals(Match.OTHER, ours.match(of("other", "CONTENTS").withDigest()));
        assertEquals(Match.OTHER, ours.match(of("longer", "contents.").withDigest()));
    }

    /** Without its digest another file proves nothing. */
    @Test
    void whatIsNotProvedIsAnother() throws Exception {
        ImageIdentity ours = of("ours", "contents");
        assertEquals(Match.OTHER, ours.match(of("copy", "contents")));
        ImageIdentity folder = ImageIdentity.of(directory);
        assertEquals(
                Match.OTHER,
                folder.match(
                        new ImageIdentity(
                                folder.path(),
                                folder.fileSystem(),
                                folder.inode() + 1,
                                folder.changed(),
                                folder.bytes(),
                                "")));
    }
}
