package io.migrator.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.List;

class KernelKeysTest {
    private static final List<String> TABLE =
            """
            009a2028 I--Q---     1 perm 3f010000  1000     0 user      krb_ccache:primary: 12
            01ea5d9e I--Q---     1  30d 3f030000  1000     0 big_key   krbtgt/EXAMPLE@EXAMPLE: 812 [file]
            0251ef85 I--Q---     1 expd 3f010000  1000     0 user      expired: 4
            0351ef85 IR-Q---     1 perm 3f010000  1000     0 user      revoked: 4
            0451ef85 I----i-     1 perm 3f010000  1000     0 user      invalidated: 4
            11ea5d9e -----U-     1 perm 3f030000  1000     0 user      begun
            13b0bf52 I--Q---     1 perm 3f030000  1001     0 user      another's: 6
            141ce3fc I--Q---     1 perm 0c030000  1000 65534 keyring   .user_reg: 2
            1b2d1c84 I------     1 perm 3f010000  1000     0 user      invocation_id: 16
            1c2d1c84 I--Q---     2   4h 3f010000  1000  1000 logon     afs:
            """
                    .lines()
                    .toList();

    @Test
    void keysThatProgramsUse() {
        assertEquals(
                List.of("afs", "krb_ccache", "krbtgt/EXAMPLE@EXAMPLE"), KernelKeys.of(TABLE, 1000));
        assertEquals(List.of("another's"), KernelKeys.of(TABLE, 1001));
        assertEquals(List.of(), KernelKeys.of(TABLE, 0));
    }

    @Test
    void theTableIsThereOrNot() throws IOException {
        KernelKeys.ofThisUser();
    }
}
