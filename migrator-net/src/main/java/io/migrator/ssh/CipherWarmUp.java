package io.migrator.ssh;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicBoolean;

import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes the virtual machine compile AES-GCM while there is time. Until it has, it encrypts a tenth
 * as fast, and a migration's bytes may come all at once, while the payload stands still. Small
 * records do it: compilation is a matter of the number of calls.
 */
final class CipherWarmUp {

    private static final int RECORDS = 12_000;
    private static final int RECORD_BYTES = 1 << 10;
    private static final int KEY_BYTES = 16;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;

    private static final AtomicBoolean BEGUN = new AtomicBoolean();

    private CipherWarmUp() {}

    /** Begins, the first time it is called, in a thread of its own: about 0.4 s of one core. */
    static void begin() {
        if (BEGUN.compareAndSet(false, true)) {
            Thread.ofPlatform().daemon().name("cipher warm-up").start(CipherWarmUp::encrypt);
        }
    }

    /** In the manner of JSch: in place, with a new nonce for each record. */
    private static void encrypt() {
        try {
            byte[] key = new byte[KEY_BYTES];
            new SecureRandom().nextBytes(key);
            SecretKeySpec keySpec = new SecretKeySpec(key, "AES");
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            byte[] record = new byte[RECORD_BYTES + TAG_BITS / Byte.SIZE];
            byte[] nonce = new byte[NONCE_BYTES];
            for (int i = 0; i < RECORDS; i++) {
                nonce[0] = (byte) i;
                nonce[1] = (byte) (i >> Byte.SIZE);
                cipher.init(Cipher.ENCRYPT_MODE, keySpec, new GCMParameterSpec(TAG_BITS, nonce));
                cipher.updateAAD(nonce, 0, Integer.BYTES);
                cipher.doFinal(record, 0, RECORD_BYTES, record, 0);
            }
        } catch (GeneralSecurityException _) {
            // no AES-GCM in this runtime: then JSch will not use it either
        }
    }
}
