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
    private static final boolean ARM = "aarch64".equals(System.getProperty("os.arch"));

    /** Numbers of arch/x86/entry/syscalls/syscall_64.tbl and, for arm64, asm-generic/unistd.h. */
    static final long READ = number(0, 63);

    static final long WRITE = number(1, 64);
    static final long CLOSE = number(3, 57);
    static final long LSEEK = number(8, 62);
    static final long IOCTL = number(16, 29);
    static final long SOCKET = number(41, 198);
    static final long SENDTO = number(44, 206);
    static final long RECVFROM = number(45, 207);
    static final long RECVMSG = number(47, 212);
    static final long SHUTDOWN = number(48, 210);
    static final long BIND = number(49, 200);
    static final long LISTEN = number(50, 201);
    static final long GETSOCKNAME = number(51, 204);
    static final long GETPEERNAME = number(52, 205);
    static final long SETSOCKOPT = number(54, 208);
    static final long GETSOCKOPT = number(55, 209);
    static final long CLONE = number(56, 220);
    static final long WAIT4 = number(61, 260);
    static final long FCNTL = number(72, 25);
    static final long PTRACE = number(101, 117);
    static final long SETPGID = number(109, 154);
    static final long SETSID = number(112, 157);
    static final long STATFS = number(137, 43);
    static final long SETPRIORITY = number(141, 140);
    static final long SETXATTR = number(188, 5);
    static final long GETXATTR = number(191, 8);
    static final long LISTXATTR = number(194, 11);
    static final long SCHED_SETAFFINITY = number(203, 122);
    static final long WAITID = number(247, 95);
    static final long IOPRIO_SET = number(251, 30);
    static final long IOPRIO_GET = number(252, 31);
    static final long OPENAT = number(257, 56);
    static final long MKNODAT = number(259, 33);
    static final long PPOLL = number(271, 73);
    static final long UTIMENSAT = number(280, 88);
    static final long ACCEPT4 = number(288, 242);
    static final long SYNCFS = number(306, 267);
    static final long SETNS = number(308, 268);
    static final long PROCESS_VM_READV = number(310, 270);
    static final long PROCESS_VM_WRITEV = number(311, 271);
    static final long KCMP = number(312, 272);
    static final long USERFAULTFD = number(323, 282);

    // the same on both
    static final long PIDFD_SEND_SIGNAL = 424;
    static final long PIDFD_OPEN = 434;
    static final long OPENAT2 = 437;
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

    private static long number(long x86, long arm) {
        return ARM ? arm : x86;
    }

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
