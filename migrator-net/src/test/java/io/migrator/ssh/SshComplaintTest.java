package io.migrator.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.migrator.problem.ExitCode;
import io.migrator.problem.Problem;

import org.junit.jupiter.api.Test;

/** The texts are those of OpenSSH 9.2 and 10.6. */
class SshComplaintTest {

    private static Problem problem(String stderr) {
        Problem problem = SshComplaint.refusal(new Destination("alice", "n2"), stderr);
        assertEquals(ExitCode.REFUSED, problem.exitCode());
        assertTrue(!problem.tryThis().isEmpty());
        return problem;
    }

    @Test
    void unknownHostKey() {
        Problem problem =
                problem(
                        "No ED25519 host key is known for n2 and you have requested strict"
                                + " checking.\r\n"
                                + "Host key verification failed.\r\n");
        assertEquals("the host key of n2 is not known here", problem.what());
        assertTrue(problem.because().startsWith("No ED25519 host key"), problem.because());
    }

    @Test
    void changedHostKey() {
        Problem problem =
                problem(
                        "@@@@@@@@@@@\r\n"
                                + "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
                                + "The fingerprint for the ED25519 key sent by the remote host is\n"
                                + "SHA256:abc/def+123.\n"
                                + "Please contact your system administrator.\r\n"
                                + "Host key for n2 has changed and you have requested strict"
                                + " checking.\r\n"
                                + "Host key verification failed.\r\n");
        assertTrue(problem.what().contains("HAS CHANGED"), problem.what());
        assertTrue(problem.because().contains("SHA256:abc/def+123"), problem.because());
    }

    @Test
    void otherRefusals() {
        assertEquals(
                "alice@n2 does not let you log in",
                problem("alice@n2: Permission denied (publickey).\r\n").what());
        assertEquals(
                "no node is called n2",
                problem("ssh: Could not resolve hostname n2: Name or service not known\r\n")
                        .what());
        Problem refused = problem("ssh: connect to host n2 port 22: Connection refused\r\n");
        assertEquals("cannot reach n2", refused.what());
        assertEquals("ssh: connect to host n2 port 22: Connection refused", refused.because());
        assertEquals("ssh exited 255 without a word", problem("").because());
    }
}
