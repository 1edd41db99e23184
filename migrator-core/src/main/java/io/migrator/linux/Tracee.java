package io.migrator.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The first thread of another process, stopped, in which system calls can be made as if it made
 * them itself (ptrace(2)). It is run from one syscall-stop to the next at an instruction of the
 * vdso, with all signals blocked; closed, it goes on exactly where it was, and a call that it
 * waited in is taken up again.
 *
 * <p>If this JVM is killed while one is open the process goes on at a place that is not its own,
 * and dies: open it briefly. ptrace knows its tracer by thread: one platform thread opens, uses and
 * closes it. x86-64 only.
 */
final class Tracee implements AutoCloseable {
    private static final long CONT = 7;
    private static final long DETACH = 17;
    private static final long SYSCALL = 24;
    private static final long GETEVENTMSG = 0x4201;
    private static final long GETREGSET = 0x4204;
    private static final long SETREGSET = 0x4205;
    private static final long SEIZE = 0x4206;
    private static final long INTERRUPT = 0x4207;
    private static final long GETSIGMASK = 0x420a;
    private static final long SETSIGMASK = 0x420b;

    private static final long TRACE_SYSCALL_GOOD = 1;
    private static final long TRACE_CHILDREN = 1 << 1 | 1 << 2 | 1 << 3;
    private static final long SUSPEND_SECCOMP = 1 << 21;

    /**
     * More than any program under a storm of signals was seen to need; else it is not ours to have.
     */
    private static final int STOPS_MAX = 10_000;

    /** A process that waits for a device or a file server can be stopped only when that answers. */
    private static final long STOP_NANOS = 2_000_000_000;

    private static final long POLL_NANOS = 50_000;

    private static final long P_PID = 1;

    /** WSTOPPED, WEXITED, WNOHANG, WNOWAIT and __WALL of waitid(2). */
    private static final long LOOK_FOR_STOP = 2 | 4 | 1 | 0x01000000 | 0x40000000;

    private static final long SIGINFO_BYTES = 128;
    private static final long SIGINFO_PID = 16;

    private static final int EVENT_STOP = 128;
    private static final int SYSCALL_STOP = 5 | 0x80;

    private static final long NT_PRSTATUS = 1;
    private static final long WALL = 0x40000000;
    private static final long NO_HANG = 1;

    /** struct user_regs_struct (sys/user.h). */
    private static final int REGISTERS = 27;

    private static final int R10 = 7;
    private static final int R9 = 8;
    private static final int R8 = 9;
    private static final int RAX = 10;
    private static final int RDX = 12;
    private static final int RSI = 13;
    private static final int RDI = 14;
    private static final int ORIG_RAX = 15;
    private static final int RIP = 16;
    private static final int[] ARGUMENTS = {RDI, RSI, RDX, R10, R8, R9};

    private static final long NR_GETPID = 39;

    static final Pattern VDSO =
            Pattern.compile("(?dm)^(\\p{XDigit}+)-(\\p{XDigit}+) \\S+ \\S+ \\S+ \\S+ +\\[vdso\\]$");

    private final long pid;
    private long gate;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment saved = arena.allocate(REGISTERS * 8L, 8);
    private final MemorySegment registers = arena.allocate(REGISTERS * 8L, 8);
    private final MemorySegment vector = arena.allocate(16, 8);
    private final MemorySegment word = arena.allocate(8, 8);
    private final MemorySegment mask = arena.allocate(8, 8);
    private long newChild;
    private int stops;

    private Tracee(long pid) {
        this.pid = pid;
    }

    /**
     * Stops a process.
     *
     * @param throughSeccomp true to switch its seccomp filters off meanwhile, which needs
     *     CAP_SYS_ADMIN in the first user namespace; else they see what is called here
     */
    static Tracee stop(long pid, boolean throughSeccomp) throws IOException {
        if (!"amd64".equals(System.getProperty("os.arch"))) {
            throw new IOException("processes cannot be adopted on this kind of processor yet");
        }
        Tracee tracee = new Tracee(pid);
        long options = TRACE_SYSCALL_GOOD | TRACE_CHILDREN | (throughSeccomp ? SUSPEND_SECCOMP : 0);
        try {
            tracee.ptrace(SEIZE, 0, options);
        } catch (IOException e) {
            tracee.arena.close();
            throw e;
        }
        try {
            tracee.interrupt();
            tracee.gate = gate(pid); // not before: an exec would move it
            tracee.transfer(GETREGSET, tracee.saved);
            tracee.ptrace(GETSIGMASK, 8, tracee.mask.address());
            tracee.word.set(JAVA_LONG, 0, -1L);
            tracee.ptrace(SETSIGMASK, 8, tracee.word.address());
            return tracee;
        } catch (IOException e) {
            Syscalls.call(Syscalls.PTRACE, DETACH, pid, 0, 0); // nothing of it was changed yet
            tracee.arena.close();
            throw e;
        }
    }

    /** A syscall instruction of the process's vdso, so that nothing need be written into it. */
    private static long gate(long pid) throws IOException {
        String maps = Files.readString(new Proc(pid).file("maps"), StandardCharsets.ISO_8859_1);
        Matcher vdso = VDSO.matcher(maps);
        if (vdso.find()) {
            long start = Long.parseUnsignedLong(vdso.group(1), 16);
            int length = (int) (Long.parseUnsignedLong(vdso.group(2), 16) - start);
            ByteBuffer code = ByteBuffer.allocateDirect(length);
            try (ProcessMemory memory = new ProcessMemory()) {
                memory.read(pid, start, code);
            }
            for (int at = 0; at + 1 < length; at++) {
                if (code.get(at) == 0x0f && code.get(at + 1) == 0x05) {
                    return start + at;
                }
            }
        }
        throw new IOException("process " + pid + " has no vdso with a syscall instruction");
    }

    /** Makes a system call in it; a negative result is the negated errno. */
    long call(long number, long... arguments) throws IOException {
        enter(number, arguments);
        ptrace(SYSCALL, 0, 0);
        awaitSyscallStop();
        ptrace(SYSCALL, 0, 0);
        awaitSyscallStop();
        transfer(GETREGSET, registers);
        return registers.getAtIndex(JAVA_LONG, RAX);
    }

    private void enter(long number, long... arguments) throws IOException {
        registers.copyFrom(saved);
        registers.setAtIndex(JAVA_LONG, RIP, gate);
        registers.setAtIndex(JAVA_LONG, RAX, number);
        registers.setAtIndex(JAVA_LONG, ORIG_RAX, -1); // no call to be taken up again
        for (int each = 0; each < ARGUMENTS.length; each++) {
            long value = each < arguments.length ? arguments[each] : 0;
            registers.setAtIndex(JAVA_LONG, ARGUMENTS[each], value);
        }
        transfer(SETREGSET, registers);
    }

    /** The process that its last call made, traced and stopped by us; as seen here. */
    long newChild() {
        return newChild;
    }

    private void awaitSyscallStop() throws IOException {
        while (true) {
            int status = await(pid);
            int event = status >> 16;
            if (status >> 8 == SYSCALL_STOP) {
                return;
            }
            if (event > 0 && event < EVENT_STOP) { // fork, vfork or clone
                ptrace(GETEVENTMSG, 0, word.address());
                newChild = word.get(JAVA_LONG, 0);
            }
            ptrace(SYSCALL, 0, 0);
        }
    }

    /** Waits for a stop of a process that this thread traces; returns its wait status. */
    int await(long traced) throws IOException {
        if (++stops > STOPS_MAX) {
            throw new IOException("process " + traced + " stops again and again");
        }
        long result;
        do {
            result = Syscalls.call(Syscalls.WAIT4, traced, word.address(), WALL, 0);
        } while (result == -Errno.EINTR);
        int status = word.get(JAVA_INT, 0);
        if (result != traced || (status & 0xff) != 0x7f) {
            throw new IOException("process " + traced + " ended");
        }
        return status;
    }

    /** Takes the end of a process that this thread traces, if it has come. */
    void reap(long traced) {
        Syscalls.call(Syscalls.WAIT4, traced, word.address(), WALL | NO_HANG, 0);
    }

    /** To a stop from which an interrupted system call is taken up again, see signal(7). */
    private void interrupt() throws IOException {
        ptrace(INTERRUPT, 0, 0);
        orDoesNotStop();
        for (int status = await(pid); status >> 16 != EVENT_STOP; status = await(pid)) {
            boolean signal = status >> 16 == 0 && status >> 8 != SYSCALL_STOP;
            ptrace(CONT, 0, signal ? status >> 8 : 0);
        }
    }

    /** Returns when there is a stop to be waited for. */
    private void orDoesNotStop() throws IOException {
        long end = System.nanoTime() + STOP_NANOS;
        try (Arena own = Arena.ofConfined()) {
            MemorySegment info = own.allocate(SIGINFO_BYTES, Long.BYTES);
            while (true) {
                info.fill((byte) 0);
                long result =
                        Syscalls.call(
                                Syscalls.WAITID, P_PID, pid, info.address(), LOOK_FOR_STOP, 0);
                if (result != 0 || info.get(JAVA_INT, SIGINFO_PID) != 0) {
                    return; // what failed fails again, with a message
                }
                if (System.nanoTime() > end) {
                    throw new IOException(
                            "process " + pid + " does not stop: it waits for a device");
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
    }

    private void transfer(long request, MemorySegment to) throws IOException {
        vector.set(JAVA_LONG, 0, to.address());
        vector.set(JAVA_LONG, 8, to.byteSize());
        ptrace(request, NT_PRSTATUS, vector.address());
    }

    private void ptrace(long request, long address, long data) throws IOException {
        long result = Syscalls.call(Syscalls.PTRACE, request, pid, address, data);
        if (result < 0) {
            throw new IOException(
                    "ptrace " + request + " of " + pid + ": " + Errno.text((int) -result));
        }
    }

    /** Lets it go on where it was. */
    @Override
    public void close() throws IOException {
        stops = 0;
        try {
            enter(NR_GETPID);
            ptrace(INTERRUPT, 0, 0);
            ptrace(CONT, 0, 0);
            for (int status = await(pid); status >> 16 != EVENT_STOP; status = await(pid)) {
                ptrace(CONT, 0, 0);
            }
        } finally {
            letGo();
        }
    }

    private void letGo() throws IOException {
        try {
            ptrace(SETSIGMASK, 8, mask.address());
            transfer(SETREGSET, saved);
            ptrace(DETACH, 0, 0);
        } finally {
            arena.close();
        }
    }
}
