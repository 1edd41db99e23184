# Kinds of what a process can have, one a run: perl kinds.pl KIND DIRECTORY SHARED-DIRECTORY
# Without arguments it lists the kinds. A kind is a sub that makes the thing and returns another that tries it; what
# that says, and how often it was asked, goes to DIRECTORY/state as "ok 12" or "bad 12". x86-64 Linux.
use strict;
use Fcntl qw(:DEFAULT :flock F_SETLK);
use IO::Socket::INET;
use POSIX qw(mkfifo WNOHANG setsid);
use Socket;

my ($kind, $dir, $shared) = @ARGV;
my @keep; # what would be closed when it goes out of scope

sub mapping { # fd or -1; shared, one page
    my ($fd) = @_;
    my $at = syscall(9, 0, 4096, 3, $fd < 0 ? 0x21 : 1, $fd, 0);
    die "mmap: $!" if $at == -1;
    return $at;
}

sub peek { unpack 'P8', pack 'Q', $_[0] }

sub written { # the first bytes of what a descriptor has, written anew each time, are those at the address
    my ($fh, $at) = @_;
    my $n = 0;
    return sub {
        my $text = sprintf '%08d', ++$n;
        sysseek $fh, 0, 0;
        syswrite $fh, $text;
        return peek($at) eq $text;
    };
}

sub echo { # a child that answers in capitals
    my ($in, $out, $back_in, $back_out) = @_;
    if (!fork) {
        while (sysread $in, my $x, 1) { syswrite $back_out, uc $x }
        exit;
    }
    return sub { syswrite $out, 'a'; sysread $back_in, my $x, 1; $x eq 'A' };
}

sub opened { my ($fd, $mode) = @_; die "$kind: $!" if $fd < 0; open my $fh, $mode || '+<&=', $fd or die; push @keep, $fh; $fh }

my %kinds = (
    'child and pipes' => sub { pipe my $a, my $b; pipe my $c, my $d; echo($a, $b, $c, $d) },
    'unix socket pair' => sub { socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0; echo($a, $b, $b, $a) },
    'unix socket with a path' => sub {
        socket my $l, AF_UNIX, SOCK_STREAM, 0;
        bind $l, sockaddr_un("$dir/socket") or die $!;
        listen $l, 5;
        socket my $a, AF_UNIX, SOCK_STREAM, 0;
        connect $a, sockaddr_un("$dir/socket") or die $!;
        accept my $b, $l;
        push @keep, $l;
        echo($b, $a, $a, $b);
    },
    'UDP socket' => sub {
        my $a = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1');
        my $b = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1', PeerPort => $a->sockport);
        sub { send $b, 'x', 0; recv $a, my $x, 9, 0; $x eq 'x' };
    },
    'listening TCP socket' => sub {
        my $l = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', ReuseAddr => 1);
        sub { defined $l->sockport and unpack 'i', getsockopt $l, SOL_SOCKET, 30 };
    },
    'TCP connection inside' => sub {
        my $l = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', ReuseAddr => 1);
        my $a = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $l->sockport);
        my $b = $l->accept;
        push @keep, $l;
        echo($b, $a, $a, $b);
    },
    'memory file' => sub {
        my $name = 'it';
        my $fh = opened(syscall 319, $name, 0);
        my $n = 0;
        sub { sysseek $fh, 0, 0; syswrite $fh, ++$n; sysseek $fh, 0, 0; sysread $fh, my $x, 99; $x == $n };
    },
    'memory file, mapped' => sub {
        my $name = 'it';
        my $fd = syscall 319, $name, 0;
        syscall 77, $fd, 4096;
        written(opened($fd), mapping($fd));
    },
    'memory file, open in another process' => sub {
        my $name = 'it';
        my $fd = syscall 319, $name, 0;
        syscall 77, $fd, 4096;
        my $at = mapping($fd);
        my $fh = opened($fd);
        if (!fork) { my $n = 0; while (1) { sysseek $fh, 0, 0; syswrite $fh, sprintf '%08d', ++$n; select undef, undef, undef, 0.02 } }
        close $fh;
        @keep = ();
        my $last = '';
        sub { my $now = peek($at); my $moved = $now ne $last; $last = $now; $moved };
    },
    'shared anonymous memory' => sub {
        my $at = mapping(-1);
        pipe my $r, my $w;
        if (!fork) { my $n = 0; while (1) { my $text = sprintf '%08d', ++$n; syscall 0, fileno($r), $at, 8 if syswrite $w, $text; select undef, undef, undef, 0.02 } }
        my $last = '';
        sub { my $now = peek($at); my $moved = $now ne $last; $last = $now; $moved };
    },
    'mapped file of the run directory' => sub {
        sysopen my $fh, "$dir/mapped", O_RDWR | O_CREAT or die $!;
        truncate $fh, 4096;
        written($fh, mapping(fileno $fh));
    },
    'mapped file of a shared directory' => sub {
        sysopen my $fh, "$shared/mapped", O_RDWR | O_CREAT or die $!;
        truncate $fh, 4096;
        written($fh, mapping(fileno $fh));
    },
    'deleted file, open' => sub {
        sysopen my $fh, "$dir/deleted", O_RDWR | O_CREAT or die $!;
        unlink "$dir/deleted";
        my $n = 0;
        sub { sysseek $fh, 0, 0; syswrite $fh, ++$n; sysseek $fh, 0, 0; sysread $fh, my $x, 99; $x == $n };
    },
    'deleted file, mapped' => sub {
        sysopen my $fh, "$dir/deleted", O_RDWR | O_CREAT or die $!;
        truncate $fh, 4096;
        my $at = mapping(fileno $fh);
        unlink "$dir/deleted";
        written($fh, $at);
    },
    'directory, open' => sub { opendir my $fh, $dir or die; push @keep, $fh; sub { rewinddir $fh; scalar(() = readdir $fh) > 1 } },
    'file in /tmp, open' => sub {
        sysopen my $fh, "/tmp/it-kind-$<", O_RDWR | O_CREAT or die $!;
        sub { sysseek $fh, 0, 0; syswrite $fh, 'x' };
    },
    'fifo in the run directory' => sub { mkfifo("$dir/fifo", 0600); sysopen my $fh, "$dir/fifo", O_RDWR or die $!; sub { syswrite $fh, 'x'; sysread $fh, my $x, 1; $x eq 'x' } },
    'flock in the run directory' => sub {
        sysopen my $fh, "$dir/lock", O_RDWR | O_CREAT or die $!;
        flock $fh, LOCK_EX or die $!;
        push @keep, $fh;
        sub { sysopen my $other, "$dir/lock", O_RDWR; !flock $other, LOCK_EX | LOCK_NB };
    },
    'flock on a shared file' => sub {
        sysopen my $fh, "$shared/lock", O_RDWR | O_CREAT or die $!;
        flock $fh, LOCK_EX or die $!;
        push @keep, $fh;
        sub { sysopen my $other, "$shared/lock", O_RDWR; !flock $other, LOCK_EX | LOCK_NB };
    },
    'lease on a file' => sub { sysopen my $fh, "$dir/lease", O_RDONLY | O_CREAT or die $!; fcntl $fh, 1024, 0 or die $!; sub { fcntl($fh, 1025, 0) eq '0 but true' } },
    'epoll' => sub {
        pipe my $r, my $w;
        my $fd = syscall 291, 0;
        my $event = pack 'Lq', 1, 7;
        syscall 233, $fd, 1, fileno $r, $event;
        push @keep, opened($fd);
        sub { syswrite $w, 'x'; my $got = pack 'Lq', 0, 0; my $n = syscall 232, $fd, $got, 1, 100; sysread $r, my $x, 1; $n == 1 };
    },
    'eventfd' => sub { my $fh = opened(syscall 290, 0, 0); sub { syswrite $fh, pack 'Q', 3; sysread $fh, my $x, 8; unpack('Q', $x) == 3 } },
    'timerfd' => sub {
        my $fd = syscall 283, 1, 0;
        my $when = pack 'q4', 0, 20_000_000, 0, 20_000_000;
        syscall 286, $fd, 0, $when, 0;
        my $fh = opened($fd);
        sub { sysread $fh, my $x, 8; unpack('Q', $x) > 0 };
    },
    'signalfd' => sub {
        my $set = pack 'Q', 1 << 9; # SIGUSR1
        my $none = 0;
        syscall 14, 0, $set, $none, 8;
        my $fh = opened(syscall 289, -1, $set, 8, 0);
        sub { kill 'USR1', $$; sysread $fh, my $x, 128; unpack('L', $x) == 10 };
    },
    'interval timer' => sub {
        my $n = 0;
        $SIG{ALRM} = sub { $n++ };
        my $when = pack 'q4', 0, 20_000, 0, 20_000;
        syscall 38, 0, $when, 0;
        my $last = -1;
        sub { my $moved = $n > $last; $last = $n; $moved };
    },
    'POSIX timer' => sub {
        my $n = 0;
        $SIG{ALRM} = sub { $n++ };
        my $id = pack 'q', 0;
        syscall 222, 1, 0, $id;
        my $when = pack 'q4', 0, 20_000_000, 0, 20_000_000;
        syscall 223, unpack('q', $id), 0, $when, 0;
        my $last = -1;
        sub { my $moved = $n > $last; $last = $n; $moved };
    },
    'inotify' => sub {
        my $fd = syscall 253;
        my $path = $dir;
        syscall 254, $fd, $path, 0x100 or die $!;
        my $fh = opened($fd);
        sub { open my $new, '>', "$dir/new" or die; close $new; unlink "$dir/new"; sysread $fh, my $x, 4096; length $x > 16 };
    },
    'inotify on a shared directory' => sub {
        my $fd = syscall 253;
        syscall 254, $fd, $shared, 0x100 or die $!;
        my $fh = opened($fd);
        sub { open my $new, '>', "$shared/new" or die; close $new; unlink "$shared/new"; sysread $fh, my $x, 4096; length $x > 16 };
    },
    'pseudo-terminal of its own' => sub {
        sysopen my $m, '/dev/ptmx', O_RDWR | O_NOCTTY or die $!;
        my $n = pack 'i', 0;
        syscall 16, fileno $m, 0x40045431, $n;
        syscall 16, fileno $m, 0x80045430, $n;
        sysopen my $s, '/dev/pts/' . unpack('i', $n), O_RDWR | O_NOCTTY or die $!;
        sub { syswrite $s, 'x'; sysread $m, my $x, 1; $x eq 'x' };
    },
    'System V shared memory' => sub { my $id = shmget 0, 4096, 0600; die $! if !defined $id; my $at = syscall 30, $id, 0, 0; sub { my $x = sprintf '%08d', rand 1e8; shmwrite $id, $x, 0, 8; peek($at) eq $x } },
    'System V semaphore' => sub { my $id = semget 0, 1, 0600; die $! if !defined $id; sub { semop $id, pack 's3', 0, 1, 0 } },
    'System V message queue' => sub { my $id = msgget 0, 0600; die $! if !defined $id; sub { msgsnd $id, pack('l! a*', 1, 'x'), 0; my $x; msgrcv $id, $x, 9, 0, 0 } },
    'POSIX message queue' => sub { my $name = 'it'; my $fd = syscall 240, $name, 0102, 0600, 0; die $! if $fd < 0; opened($fd, '<&='); sub { my $x = 'x'; syscall(242, $fd, $x, 1, 0, 0) == 0 and ($x = "\0" x 8192, syscall(243, $fd, $x, 8192, 0, 0) == 1) } },
    'seccomp filter' => sub {
        my $allow = pack 'SCCL', 6, 0, 0, 0x7fff0000;
        my $program = pack 'Sx6P', 1, $allow;
        syscall 157, 38, 1, 0, 0, 0;
        die $! if syscall 157, 22, 2, $program;
        sub { open my $s, '<', '/proc/self/status'; grep /^Seccomp:\s+2/, <$s> };
    },
    'io_uring' => sub { my $p = "\0" x 120; my $fd = syscall 425, 4, $p; die $! if $fd < 0; push @keep, opened($fd, '<&='); sub { 1 } },
    'userfaultfd' => sub { my $fd = syscall 323, 1; die $! if $fd < 0; opened($fd, '<&='); sub { 1 } },
    'perf event' => sub { my $a = pack 'LLQx104', 1, 120, 1; my $fd = syscall 298, $a, 0, -1, -1, 0; die $! if $fd < 0; my $fh = opened($fd, '<&='); sub { sysread $fh, my $x, 8 } },
    'netlink socket' => sub { socket my $s, 16, 3, 0 or die $!; push @keep, $s; sub { defined getsockname $s } },
    'packet socket' => sub { socket my $s, 17, 3, 768 or die $!; push @keep, $s; sub { defined getsockname $s } },
    'raw socket' => sub { socket my $s, 2, 3, 1 or die $!; push @keep, $s; sub { defined getsockname $s } },
    'MPTCP socket, listening' => sub { socket my $s, 2, 1, 262 or die $!; bind $s, sockaddr_in(0, INADDR_LOOPBACK); listen $s, 5; push @keep, $s; sub { unpack 'i', getsockopt $s, SOL_SOCKET, 30 } },
    'pidfd' => sub { my $pid = fork; if (!$pid) { sleep 10000; exit } my $fd = syscall 434, $pid, 0; die $! if $fd < 0; opened($fd, '<&='); sub { syscall(424, $fd, 0, 0, 0) == 0 } },
    'locked memory' => sub { my $at = mapping(-1); die $! if syscall 149, $at, 4096; sub { open my $s, '<', '/proc/self/status'; grep /^VmLck:\s+4 kB/, <$s> } },
    'stopped child' => sub { my $pid = fork; if (!$pid) { sleep 10000; exit } kill 'STOP', $pid; sub { open my $s, '<', "/proc/$pid/status"; grep /^State:\s+T/, <$s> } },
    'zombie child' => sub { my $pid = fork; exit 7 if !$pid; select undef, undef, undef, 0.1; sub { open my $s, '<', "/proc/$pid/status"; grep /^State:\s+Z/, <$s> } },
    'traced child' => sub { my $pid = fork; if (!$pid) { syscall 101, 0, 0, 0, 0; kill 'STOP', $$; exit } waitpid $pid, 2; sub { open my $s, '<', "/proc/$pid/status"; grep /^State:\s+t/, <$s> } },
    'child with a session of its own' => sub { my $pid = fork; if (!$pid) { setsid(); sleep 10000; exit } select undef, undef, undef, 0.1; sub { POSIX::getpgrp() != $pid and getpgrp($pid) == $pid } },
    'child in a user namespace of its own' => sub { my $pid = fork; if (!$pid) { syscall 272, 0x10000000; sleep 10000; exit } select undef, undef, undef, 0.1; my $link = readlink "/proc/$pid/ns/user"; die 'none' if $link eq readlink '/proc/self/ns/user'; sub { readlink("/proc/$pid/ns/user") ne readlink '/proc/self/ns/user' } },
);

if (!defined $kind) {
    print "$_\n" for sort keys %kinds;
    exit;
}
sub state { open my $s, '>', "$dir/state.new" or die $!; print $s $_[0]; close $s; rename "$dir/state.new", "$dir/state" }
my $try = eval { $kinds{$kind}->() };
if (!$try) { state("none 0 $@ $!"); sleep 10000 }
for (my $n = 1;; $n++) {
    local $SIG{__DIE__};
    state(($try->() ? 'ok' : 'bad') . " $n");
    select undef, undef, undef, 0.05;
}
