package io.migrator.linux;

/** Names of the errors that are told apart here (errno(3)); the numbers are the kernel's. */
public final class Errno {
    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int ESRCH = 3;
    static final int EINTR = 4;
    static final int ENXIO = 6;
    static final int EAGAIN = 11;
    static final int ENOMEM = 12;
    static final int EEXIST = 17;
    static final int EINVAL = 22;
    static final int ENOSPC = 28;

    private Errno() {}

    /** The kernel's text for a number, as far as it is met here. */
    public static String text(int errno) {
        return switch (errno) {
            case EPERM -> "operation not permitted";
            case ENOENT -> "no such file or directory";
            case ESRCH -> "no such process";
            case EINTR -> "interrupted system call";
            case 9 -> "bad file descriptor";
            case EAGAIN -> "try again";
            case 12 -> "out of memory";
            case 13 -> "permission denied";
            case 14 -> "bad address";
            case EEXIST -> "exists";
            case 20 -> "not a directory";
            case EINVAL -> "invalid argument";
            case 24 -> "too many open files";
            case 27 -> "file too large";
            case ENOSPC -> "no space left on device";
            case 30 -> "read-only file system";
            case 32 -> "broken pipe";
            case 40 -> "there is a symbolic link in it";
            case 98 -> "address already in use";
            default -> "errno " + errno;
        };
    }
}
