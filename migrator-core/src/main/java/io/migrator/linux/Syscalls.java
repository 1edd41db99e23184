package io.migrator.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * syscall(2) with errno kept per call. Six integer arguments cover every call used here; pointers
 * go as addresses of native segments that the caller keeps alive.
 */
@SuppressWarnings("restricted")
final class Syscalls {
    /** Numbers of arch/x86/entry/syscalls/syscall_64.tbl; arm64 shares those above 424. */
    static final long WRITE = 1;

    static final long CLOSE = 3;

    static final long IOCTL = 16;
    static final long SOCKET = 41;
    static final long SENDTO = 44;
    static final long RECVFROM = 45;
    static final long GETSOCKNAME = 51;
    static final long GETPEERNAME = 52;
    static final long SETSOCKOPT = 54;
    static final long GETSOCKOPT = 55;
    static final long CLONE = 56;
    static final long WAIT4 = 61;
    static final long FCNTL = 72;
    static final long PTRACE = 101;
    static final long SETPGID = 109;
    static final long SETSID = 112;

    static final long SETPRIORITY = 141;
    static final long SCHED_SETAFFINITY = 203;
    static final long IOPRIO_SET = 251;
    static final long IOPRIO_GET = 252;
    static final long OPENAT = 257;

    static final long WAITID = 247;
    static final long SETNS = 308;
    static final long PROCESS_VM_READV = 310;
    static final long PROCESS_VM_WRITEV = 311;
    static final long KCMP = 312;
    static final long USERFAULTFD = 323;

    static final long PIDFD_SEND_SIGNAL = 424;
    static final long PIDFD_OPEN = 434;
    static final long PIDFD_GETFD = 438;
    static final long PROCESS_MADVISE = 440;

    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle SYSCALL =
            Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker().defaultLookup().findOrThrow("syscall"),
                            FunctionDescriptor.of(
                                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                                    JAVA_LONG, JAVA_LONG, JAVA_LONG),
                            Linker.Option.captureCallState("errno"),
                            Linker.Option.firstVariadicArg(1));

    private Syscalls() {}

    /** Calls the kernel; a negative result is the negated errno. */
    static long call(long number, long... arguments) {
        long[] a = Arrays.copyOf(arguments, 6);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            long result =
                    (long) SYSCALL.invokeExact(state, number, a[0], a[1], a[2], a[3], a[4], a[5]);
            return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
