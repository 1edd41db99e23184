# Kinds of what a process can have, one a run: perl kinds.pl KIND DIRECTORY SHARED-DIRECTORY
# Without arguments it lists the kinds. A kind is a sub that makes the thing and returns another that tries it; what
# that says, and how often it was asked, goes to DIRECTORY/state as "ok 12" or "bad 12". x86-64 Linux.
use strict;
use Errno;
use Fcntl qw(:DEFAULT :flock F_SETLK F_WRLCK);
use IO::Socket::INET;
use IO::Socket::IP;
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

sub poke { # writes at an address
    my ($at, $text) = @_;
    pipe my $r, my $w;
    syswrite $w, $text;
    syscall 0, fileno $r, $at, length $text;
}

sub page { # a private one of its own, between two that nobody may touch
    my $at = syscall 9, 0, 12288, 0, 0x22, -1, 0;
    syscall 10, $at + 4096, 4096, 3;
    poke($at + 4096, 'as it was');
    return $at + 4096;
}

sub vmflags { # of the mapping that starts there
    my ($at) = @_;
    open my $maps, '<', '/proc/self/smaps';
    my $start = sprintf '%x-', $at;
    my $there = 0;
    while (<$maps>) {
        $there = index($_, $start) == 0 if /^[0-9a-f]+-/;
        return $_ if $there and /^VmFlags/;
    }
    return '';
}

sub call { # one that has to work; what is written to the arguments is seen by the caller
    my $number = shift;
    my $got = syscall $number, @_;
    die "system call $number: $!" if $got == -1;
    return $got;
}

sub readable { my ($fh) = @_; vec(my $in = '', fileno $fh, 1) = 1; select $in, undef, undef, 0.8 }

sub waiting { # a number is always under way: the one before comes out when the next is put in, and none is lost
    my ($put, $get) = @_;
    my ($n, $lost) = (0, 0);
    $put->('00000001');
    return sub { $put->(sprintf '%08d', ++$n + 1); $lost ||= $get->() ne sprintf '%08d', $n; !$lost };
}

sub heard { my ($fh) = @_; push @keep, $fh; sub { readable($fh) and sysread $fh, my $x, 65536 } }

sub telling { # a child that goes on saying something
    my ($child) = @_;
    pipe my $r, my $w;
    if (!fork) { close $r; $child->(sub { syswrite $w, '.'; select undef, undef, undef, $_[0] || 0.02 }, $w); exit }
    return heard($r);
}

sub python { my ($code) = @_; open my $out, '-|', 'python3', '-u', '-c', $code or die $!; heard($out) }

sub status { my ($line, $pid) = @_; open my $s, '<', '/proc/' . ($pid || 'self') . '/status'; scalar grep /$line/, <$s> }

sub pair { my ($type) = @_; socketpair my $a, my $b, AF_UNIX, $type, 0 or die $!; waiting(sub { send $a, $_[0], 0 }, sub { recv $b, my $x, 99, 0; $x }) }

sub listener { # at a path
    socket my $l, AF_UNIX, SOCK_STREAM, 0;
    bind $l, sockaddr_un("$dir/socket") or die $!;
    listen $l, 5;
    return $l;
}

sub tcp { # connected to itself at an address
    my ($address) = @_;
    my $l = IO::Socket::IP->new(Listen => 5, LocalHost => $address, ReuseAddr => 1) or die $@;
    my $a = IO::Socket::IP->new(PeerHost => $address, PeerPort => $l->sockport) or die $@;
    my $b = $l->accept;
    push @keep, $l;
    return ($a, $b);
}

sub message { # of sendmsg(2), with room for a descriptor
    my ($iov, $control) = @_;
    return pack 'QQPQPQQ', 0, 0, $_[0], 1, $_[1], length $_[1], 0;
}

sub whole { my ($type) = @_; pack 's s x4 q q i x4', $type, 0, 0, 0, 0 } # struct flock

sub apart { # a child in namespaces of its own
    my ($flags, $kind) = @_;
    pipe my $r, my $w;
    my $pid = fork;
    if (!$pid) { syscall 272, 0x10000000 | $flags; exec 'sleep', 10000 if $kind ne 'pid' || !fork; sleep 10000; exit }
    select undef, undef, undef, 0.3;
    my $there = "/proc/$pid/ns/" . ($kind eq 'pid' ? 'pid_for_children' : $kind);
    die 'none' if (readlink $there) eq readlink "/proc/self/ns/$kind";
    return sub { readlink($there) ne readlink "/proc/self/ns/$kind" };
}

sub terminal { # master, and where the slave is
    sysopen my $m, '/dev/ptmx', O_RDWR | O_NOCTTY or die $!;
    my $n = pack 'i', 0;
    syscall 16, fileno $m, 0x40045431, $n;
    syscall 16, fileno $m, 0x80045430, $n;
    return ($m, '/dev/pts/' . unpack 'i', $n);
}

my %kinds = (
    'child and pipes' => sub { pipe my $a, my $b; pipe my $c, my $d; echo($a, $b, $c, $d) },
    'unix socket pair' => sub { socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0; echo($a, $b, $b, $a) },
    'unix socket with a path' => sub {
        my $l = listener();
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

    # Pipes and sockets
    'pipe that is full' => sub {
        pipe my $r, my $w;
        fcntl $w, 1031, 131072 or die $!;
        $w->blocking(0);
        my ($n, $m) = (0, 0);
        $n++ while syswrite $w, sprintf('%08d', $n) x 512;
        push @keep, $w;
        my $lost = 0;
        sub { sysread $r, my $x, 4096; $lost ||= $x ne sprintf('%08d', $m++) x 512; !$lost and syswrite $w, sprintf('%08d', $n++) x 512 and fcntl($w, 1032, 0) == 131072 };
    },
    'pipe of packets' => sub { my $two = pack 'ii', 0, 0; call(293, $two, 0x4000); my ($r, $w) = map { opened($_) } unpack 'ii', $two; waiting(sub { syswrite $w, $_[0] }, sub { sysread $r, my $x, 99; $x }) },
    'unix datagram pair' => sub { pair(SOCK_DGRAM) },
    'unix seqpacket pair' => sub { pair(SOCK_SEQPACKET) },
    'unix socket pair with data in it' => sub { socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0; waiting(sub { syswrite $a, $_[0] }, sub { sysread $b, my $x, 8; $x }) },
    'unix socket pair, half closed' => sub { socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0; shutdown $a, 1; sub { syswrite $b, 'x'; sysread $a, my $x, 1; $x eq 'x' and readable($b) and 0 == sysread $b, $x, 1 } },
    'unix socket, abstract' => sub {
        socket my $l, AF_UNIX, SOCK_STREAM, 0;
        bind $l, pack 'S a*', AF_UNIX, "\0it-kind-$<" or die $!;
        listen $l, 5;
        sub { socket my $a, AF_UNIX, SOCK_STREAM, 0; connect $a, pack 'S a*', AF_UNIX, "\0it-kind-$<" or return 0; accept my $b, $l; syswrite $b, 'x'; sysread $a, my $x, 1; $x eq 'x' };
    },
    'unix connection nobody has accepted' => sub {
        my $l = listener();
        my $a;
        my $new = sub { socket $a, AF_UNIX, SOCK_STREAM, 0; connect $a, sockaddr_un("$dir/socket") };
        $new->();
        sub { readable($l) or return 0; accept my $b, $l; syswrite $a, 'x'; sysread $b, my $x, 1; $new->(); $x eq 'x' };
    },
    'unix connection nobody has accepted, with data' => sub {
        my $l = listener();
        socket my $a, AF_UNIX, SOCK_STREAM, 0;
        connect $a, sockaddr_un("$dir/socket");
        syswrite $a, 'x';
        sub { readable($l) and getpeername $a };
    },
    'unix socket whose path was removed' => sub {
        my $l = listener();
        socket my $a, AF_UNIX, SOCK_STREAM, 0;
        connect $a, sockaddr_un("$dir/socket") or die $!;
        accept my $b, $l;
        unlink "$dir/socket";
        push @keep, $l;
        echo($b, $a, $a, $b);
    },
    'unix datagram socket with a path' => sub {
        socket my $l, AF_UNIX, SOCK_DGRAM, 0;
        bind $l, sockaddr_un("$dir/socket") or die $!;
        socket my $a, AF_UNIX, SOCK_DGRAM, 0;
        connect $a, sockaddr_un("$dir/socket") or die $!;
        waiting(sub { send $a, $_[0], 0 }, sub { recv $l, my $x, 99, 0; $x });
    },
    'descriptor under way in a unix socket' => sub {
        socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0;
        my $event = call(290, 0, 0);
        my $send = sub { my $x = 'x'; my $iov = pack 'PQ', $x, 1; my $control = pack 'Qiiix4', 20, 1, 1, $event; my $m = message($iov, $control); call(46, fileno $a, $m, 0) };
        $send->();
        sub {
            my $x = ' ';
            my $iov = pack 'PQ', $x, 1;
            my $control = "\0" x 24;
            my $m = message($iov, $control);
            call(47, fileno $b, $m, 0x40);
            open my $got, '+<&=', unpack 'x16 i', $control or return 0;
            syswrite $got, pack 'Q', 3;
            my $three = pack 'Q', 0;
            syscall 0, $event, $three, 8;
            $send->();
            unpack('Q', $three) == 3;
        };
    },
    'socket with a filter' => sub { socketpair my $a, my $b, AF_UNIX, SOCK_DGRAM, 0; my $code = pack 'SCCL', 6, 0, 0, 1; my $program = pack 'Sx6P', 1, $code; setsockopt $a, SOL_SOCKET, 26, $program or die $!; sub { send $b, 'xyz', 0; recv $a, my $x, 99, 0; $x eq 'x' } },
    'signal-driven socket' => sub {
        socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0;
        my $n = 0;
        $SIG{USR1} = sub { $n++ };
        fcntl $a, 8, 0 + $$ or die $!;
        fcntl $a, 10, 10 or die $!;
        fcntl $a, 4, 020002 or die $!;
        my $last = 0;
        sub { syswrite $b, 'x'; select undef, undef, undef, 0.01; sysread $a, my $x, 1; my $moved = $n > $last; $last = $n; $moved };
    },
    'UDP socket, IPv6' => sub {
        my $a = IO::Socket::IP->new(Proto => 'udp', LocalHost => '::1') or die $@;
        my $b = IO::Socket::IP->new(Proto => 'udp', PeerHost => '::1', PeerPort => $a->sockport) or die $@;
        sub { send $b, 'x', 0; recv $a, my $x, 9, 0; $x eq 'x' };
    },
    'UDP socket with a datagram waiting' => sub {
        my $a = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1');
        my $b = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1', PeerPort => $a->sockport);
        waiting(sub { send $b, $_[0], 0 }, sub { readable($a) or return ''; recv $a, my $x, 9, 0; $x });
    },
    'TCP connection inside, IPv6' => sub { my ($a, $b) = tcp('::1'); echo($b, $a, $a, $b) },
    'TCP connection with options' => sub {
        my ($a, $b) = tcp('127.0.0.1');
        my @set = ([SOL_SOCKET, 9, 1], [SOL_SOCKET, 12, 3], [6, 1, 1], [6, 4, 77], [6, 5, 11], [6, 6, 5]);
        setsockopt $a, $_->[0], $_->[1], $_->[2] or die $! for @set;
        my $echo = echo($b, $a, $a, $b);
        sub { $echo->() and @set == grep { $_->[2] == unpack 'i', getsockopt $a, $_->[0], $_->[1] } @set };
    },
    'TCP connection nobody has accepted' => sub {
        my $l = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1');
        my $a = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $l->sockport);
        sub { readable($l) and getpeername $a };
    },
    'TCP socket, listening with options' => sub {
        my $l = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1');
        my @set = ([6, 9, 7], [6, 18, 9000]); # TCP_DEFER_ACCEPT, TCP_USER_TIMEOUT
        setsockopt $l, $_->[0], $_->[1], $_->[2] or die $! for @set;
        sub { @set == grep { $_->[2] == unpack 'i', getsockopt $l, $_->[0], $_->[1] } @set };
    },
    'netlink socket in a group' => sub { socket my $s, 16, 3, 0 or die $!; bind $s, pack 'SSLL', 16, 0, 0, 8 or die $!; sub { 8 == unpack 'x8 L', getsockname $s } },
    'netlink socket with an answer waiting' => sub {
        socket my $s, 16, 3, 0 or die $!;
        my $ask = sub { send $s, pack('LSSLL x16', 32, 18, 0x301, 1, 0), 0 };
        $ask->();
        sub { my $n = 0; while (readable($s)) { recv $s, my $x, 65536, 0; $n++; last if 3 == unpack 'x4 S', $x } $ask->(); $n };
    },
    'vsock socket' => sub { socket my $s, 40, 1, 0 or die $!; push @keep, $s; sub { defined getsockname $s } },

    # Descriptors of other kinds
    'epoll on an epoll' => sub {
        pipe my $r, my $w;
        my @two = (call(291, 0), call(291, 0));
        my $event = pack 'Lq', 1, 7;
        call(233, $two[0], 1, fileno $r, $event);
        call(233, $two[1], 1, $two[0], $event);
        push @keep, map { opened($_) } @two;
        sub { syswrite $w, 'x'; my $got = pack 'Lq', 0, 0; my $n = syscall 232, $two[1], $got, 1, 100; sysread $r, my $x, 1; $n == 1 };
    },
    'epoll of a descriptor that was moved' => sub {
        pipe my $r, my $w;
        my $fd = call(291, 0);
        my $event = pack 'Lq', 1, 7;
        call(233, $fd, 1, fileno $r, $event);
        push @keep, opened($fd);
        open my $same, '<&', $r;
        close $r;
        sub { syswrite $w, 'x'; my $got = pack 'Lq', 0, 0; my $n = syscall 232, $fd, $got, 1, 100; sysread $same, my $x, 1; $n == 1 };
    },
    'eventfd as a semaphore' => sub { my $fh = opened(call(290, 0, 1)); sub { my $x; syswrite $fh, pack 'Q', 2; 2 == grep { sysread $fh, $x, 8; unpack('Q', $x) == 1 } 1, 2 } },
    'timerfd of the wall clock' => sub {
        my $fh = opened(call(283, 0, 0));
        my $when = pack 'q4', 0, 20_000_000, time, 1;
        call(286, fileno $fh, 1, $when, 0);
        sub { my $x; readable($fh) and sysread $fh, $x, 8 and unpack('Q', $x) > 0 };
    },
    'pidfd of an ended process' => sub { my $pid = fork; exit if !$pid; my $fh = opened(call(434, $pid, 0), '<&='); waitpid $pid, 0; sub { syscall(424, fileno $fh, 0, 0, 0) == -1 and $!{ESRCH} } },
    'namespace descriptor' => sub { sysopen my $fh, '/proc/self/ns/uts', O_RDONLY or die $!; my $was = (stat $fh)[1]; sub { (stat $fh)[1] == (stat '/proc/self/ns/uts')[1] } },
    'fanotify group' => sub { push @keep, opened(call(300, 0x200, 0)); sub { 1 } },
    'five hundred descriptors' => sub { my @all = map { open my $fh, '<', $0 or die $!; $fh } 1 .. 500; sub { 500 == grep { sysseek $_, 0, 0; sysread $_, my $x, 1; $x eq '#' } @all } },
    'descriptors that share an offset' => sub {
        sysopen my $a, "$dir/offset", O_RDWR | O_CREAT or die $!;
        open my $b, '+<&', $a;
        if (!fork) { while (1) { sysseek $a, 0, 0 if sysseek($a, 0, 1) > 50; select undef, undef, undef, 0.01 } }
        sub { syswrite $a, 'xx'; select undef, undef, undef, 0.001; sysseek($a, 0, 1) == sysseek $b, 0, 1 };
    },
    'descriptor for the path alone' => sub { mkdir "$dir/path"; sysopen my $fh, "$dir/path", 010000000 or die $!; sub { !defined sysread($fh, my $x, 1) and -d '/proc/self/fd/' . fileno $fh } },
    'null, zero, full and random devices' => sub {
        my @all = map { sysopen my $fh, "/dev/$_", O_RDWR or die $!; $fh } qw(null zero full urandom);
        sub { my $x; !sysread $all[0], $x, 9 and 9 == sysread $all[1], $x, 9 and !syswrite $all[2], 'x' and 9 == sysread $all[3], $x, 9 };
    },
    'FUSE device' => sub { sysopen my $fh, '/dev/fuse', O_RDWR or die $!; push @keep, $fh; sub { -c $fh } },
    'loop device' => sub { sysopen my $fh, '/dev/loop0', O_RDONLY or die $!; push @keep, $fh; sub { -b $fh } },
    'file of /proc, its own' => sub { sysopen my $fh, "/proc/$$/stat", O_RDONLY or die $!; sub { sysseek $fh, 0, 0; sysread $fh, my $x, 99; $x =~ /^$$ / } },
    'file of /proc, an ended child\'s' => sub { my $pid = fork; if (!$pid) { sleep 10000; exit } sysopen my $fh, "/proc/$pid/stat", O_RDONLY or die $!; kill 'KILL', $pid; waitpid $pid, 0; sub { sysseek $fh, 0, 0; my $x; !sysread $fh, $x, 99 } },
    'file of /proc/sys' => sub { sysopen my $fh, '/proc/sys/kernel/ostype', O_RDONLY or die $!; sub { sysseek $fh, 0, 0; sysread $fh, my $x, 99; $x =~ /Linux/ } },
    'controlling terminal' => sub {
        my ($m, $path) = terminal();
        if (!fork) { setsid(); sysopen my $s, $path, O_RDWR; $SIG{INT} = sub { syswrite $s, 'i' }; sleep 1 while 1 }
        select undef, undef, undef, 0.2;
        sub { syswrite $m, "\3"; my $got = ''; while ($got !~ /i/ and readable($m)) { sysread $m, $got, 99, length $got } $got =~ /i/ };
    },

    # Files
    'file that is appended to' => sub { sysopen my $fh, "$dir/log", O_WRONLY | O_CREAT | O_APPEND or die $!; my $n = 0; sub { sysseek $fh, 0, 0; syswrite $fh, 'x'; -s "$dir/log" == ++$n } },
    'file with a hole' => sub { sysopen my $fh, "$dir/hole", O_RDWR | O_CREAT or die $!; truncate $fh, 1 << 26; sysseek $fh, 1 << 25, 0; syswrite $fh, 'middle'; sub { sysseek $fh, 1 << 25, 0; sysread $fh, my $x, 6; $x eq 'middle' and -s $fh == 1 << 26 } },
    'file with a long path' => sub { my $path = $dir; mkdir $path .= '/' . $_ x 200 for 'a' .. 'm'; sysopen my $fh, "$path/x", O_RDWR | O_CREAT or die $!; sub { sysseek $fh, 0, 0; syswrite $fh, 'x'; -s "$path/x" } },
    'file whose name another has now' => sub {
        my @two = map { unlink "$dir/name"; sysopen my $fh, "$dir/name", O_RDWR | O_CREAT or die $!; syswrite $fh, $_; $fh } qw(old new);
        sub { join(' ', map { sysseek $_, 0, 0; sysread $_, my $x, 9; $x } @two) eq 'old new' };
    },
    'file that has another name left' => sub { sysopen my $fh, "$dir/one", O_RDWR | O_CREAT or die $!; link "$dir/one", "$dir/other"; unlink "$dir/one"; my $n = 0; sub { sysseek $fh, 0, 0; syswrite $fh, ++$n; open my $o, '<', "$dir/other"; <$o> == $n } },
    'file in a removed directory' => sub { mkdir "$dir/gone"; sysopen my $fh, "$dir/gone/x", O_RDWR | O_CREAT or die $!; unlink "$dir/gone/x"; rmdir "$dir/gone"; my $n = 0; sub { sysseek $fh, 0, 0; syswrite $fh, ++$n; sysseek $fh, 0, 0; sysread $fh, my $x, 99; $x == $n } },
    'removed directory, open' => sub { mkdir "$dir/gone"; sysopen my $fh, "$dir/gone", O_RDONLY or die $!; rmdir "$dir/gone"; sub { -d $fh and (stat $fh)[3] == 0 } },
    'removed fifo' => sub { mkfifo("$dir/fifo", 0600); sysopen my $fh, "$dir/fifo", O_RDWR or die $!; unlink "$dir/fifo"; sub { syswrite $fh, 'x'; sysread $fh, my $x, 1; $x eq 'x' } },
    'working directory' => sub { mkdir "$dir/work"; chdir "$dir/work" or die $!; sub { open my $f, '>', 'here'; -e "$dir/work/here" } },
    'removed working directory' => sub { mkdir "$dir/work"; chdir "$dir/work" or die $!; rmdir "$dir/work"; sub { readlink('/proc/self/cwd') =~ /deleted/ } },
    'shared memory of POSIX' => sub { sysopen my $fh, "/dev/shm/it-kind-$<", O_RDWR | O_CREAT or die $!; truncate $fh, 4096; written($fh, mapping(fileno $fh)) },
    'POSIX lock in the run directory' => sub {
        sysopen my $fh, "$dir/lock", O_RDWR | O_CREAT or die $!;
        fcntl $fh, F_SETLK, whole(F_WRLCK) or die $!;
        push @keep, $fh;
        sub { my $pid = fork; if (!$pid) { sysopen my $other, "$dir/lock", O_RDWR; POSIX::_exit(fcntl($other, F_SETLK, whole(F_WRLCK)) ? 1 : 0) } waitpid $pid, 0; $? == 0 };
    },
    'lock of an open file in the run directory' => sub { sysopen my $fh, "$dir/lock", O_RDWR | O_CREAT or die $!; fcntl $fh, 37, whole(F_WRLCK) or die $!; push @keep, $fh; sub { sysopen my $other, "$dir/lock", O_RDWR; !fcntl $other, 37, whole(F_WRLCK) } },
    'POSIX lock on a shared file' => sub { sysopen my $fh, "$shared/lock", O_RDWR | O_CREAT or die $!; fcntl $fh, F_SETLK, whole(F_WRLCK) or die $!; push @keep, $fh; sub { 1 } },
    'child that cannot be stopped' => sub { # clone(2), with CLONE_VFORK
        my $p = fork // die;
        if (!$p) { syscall 56, 0x4011, 0, 0, 0, 0; sleep 9999; exit }
        sub { kill 0, $p };
    },
    'child that waits for a lock' => sub {
        sysopen my $fh, "$dir/lock", O_RDWR | O_CREAT or die $!;
        flock $fh, LOCK_EX;
        pipe my $r, my $w;
        if (!fork) { while (1) { sysopen my $other, "$dir/lock", O_RDWR; flock $other, LOCK_EX; syswrite $w, 'x'; close $other; select undef, undef, undef, 0.02 } }
        $r->blocking(0);
        sub { sysread $r, my $x, 99; my $kept = !readable($r); flock $fh, LOCK_UN; my $got = readable($r); flock $fh, LOCK_EX; $kept and $got };
    },
    'dnotify' => sub {
        opendir my $d, $dir;
        my $n = 0;
        $SIG{IO} = sub { $n++ };
        call(72, fileno $d, 1026, 0x80000004);
        push @keep, $d;
        my $last = 0;
        sub { my $moved = $n > $last; $last = $n; open my $new, '>', "$dir/new"; close $new; $moved or $n < 2 };
    },
    'asynchronous input and output (AIO)' => sub {
        sysopen my $fh, "$dir/aio", O_RDWR | O_CREAT or die $!;
        my $id = pack 'Q', 0;
        call(206, 8, $id);
        $id = unpack 'Q', $id;
        my $n = 0;
        sub {
            my $text = sprintf '%08d', ++$n;
            my $block = pack 'QLLSsLPQqQLL', 7, 0, 0, 1, 0, fileno $fh, $text, 8, 0, 0, 0, 0;
            my $list = pack 'P', $block;
            syscall(209, $id, 1, $list) == 1 or return 0;
            my $event = "\0" x 32;
            syscall(208, $id, 1, 1, $event, 0) == 1 or return 0;
            sysseek $fh, 0, 0;
            sysread $fh, my $x, 8;
            $x eq $text and unpack('Q', $event) == 7;
        };
    },

    # Memory
    'memory nobody may touch' => sub { my $at = page(); call(10, $at, 4096, 0); sub { call(10, $at, 4096, 1); my $right = peek($at) eq 'as it wa'; call(10, $at, 4096, 0); $right } },
    'memory that can be executed' => sub { my $at = page(); call(10, $at, 4096, 7); sub { peek($at) eq 'as it wa' and vmflags($at) =~ /rd wr ex/ } },
    'memory that a fork empties' => sub {
        my $at = page();
        call(28, $at, 4096, 18);
        sub { my $pid = fork; POSIX::_exit(peek($at) eq "\0" x 8 ? 0 : 1) if !$pid; waitpid $pid, 0; $? == 0 and peek($at) eq 'as it wa' };
    },
    'memory that grows downwards' => sub { my $at = call(9, 0, 8192, 3, 0x122, -1, 0); poke($at, 'as it was'); sub { peek($at) eq 'as it wa' and vmflags($at) =~ / gd/ } },
    'memory with a guard' => sub { my $at = call(9, 0, 12288, 3, 0x22, -1, 0); poke($at, 'as it was'); call(28, $at + 4096, 4096, 102); pipe my $r, my $w; syswrite $w, 'x'; sub { peek($at) eq 'as it wa' and syscall(0, fileno $r, $at + 4096, 1) == -1 } },
    'memory that is sealed' => sub { my $at = page(); call(462, $at, 4096, 0); sub { peek($at) eq 'as it wa' and syscall(10, $at, 4096, 1) == -1 } },
    'memory that is secret' => sub { my $fd = call(447, 0); call(77, $fd, 4096); my $at = mapping($fd); poke($at, 'as it was'); sub { peek($at) eq 'as it wa' } },
    'file mapped privately and written' => sub {
        sysopen my $fh, "$dir/mapped", O_RDWR | O_CREAT or die $!;
        syswrite $fh, 'original' . "\0" x 8192;
        my $at = call(9, 0, 8192, 3, 2, fileno $fh, 0);
        poke($at, 'as it was');
        sub { sysseek $fh, 0, 0; sysread $fh, my $x, 8; peek($at) eq 'as it wa' and $x eq 'original' };
    },
    'zero device, mapped' => sub { sysopen my $fh, '/dev/zero', O_RDWR or die $!; my $at = call(9, 0, 4096, 3, 1, fileno $fh, 0); poke($at, 'as it was'); sub { peek($at) eq 'as it wa' } },
    'memory file, sealed' => sub { my $name = 'it'; my $fh = opened(call(319, $name, 2)); syswrite $fh, 'as it was'; fcntl $fh, 1033, 15 or die $!; sub { sysseek $fh, 0, 0; sysread $fh, my $x, 99; $x eq 'as it was' and fcntl($fh, 1034, 0) == 15 } },

    # Signals, timers and clocks
    'signal pending' => sub { my $set = pack 'Q', 1 << 9; call(14, 0, $set, 0, 8); kill 'USR1', $$; sub { my $got = pack 'Q', 0; syscall 127, $got, 8; unpack('Q', $got) == 1 << 9 } },
    'real-time signals queued' => sub {
        my $set = pack 'Q', 1 << 39;
        call(14, 0, $set, 0, 8);
        my $info;
        waiting(sub { $info = pack 'iii x4 ii q x96', 40, 0, -1, $$, $<, $_[0]; call(129, $$, 40, $info) }, sub { $info = "\0" x 128; my $none = pack 'qq', 0, 0; syscall 128, $set, $info, $none, 8; sprintf '%08d', unpack 'x24 q', $info });
    },
    'signal stack of its own' => sub { my $at = page(); my $set = pack 'QiiQ', $at, 0, 0, 4096; call(131, $set, 0); sub { my $got = "\0" x 24; call(131, 0, $got); unpack('Q', $got) == $at } },
    'POSIX timer for one thread' => sub {
        my $n = 0;
        $SIG{USR2} = sub { $n++ };
        my $event = pack 'q i i i x44', 0, 12, 4, $$;
        my $id = pack 'q', 0;
        call(222, 1, $event, $id);
        my $when = pack 'q4', 0, 20_000_000, 0, 20_000_000;
        call(223, unpack('q', $id), 0, $when, 0);
        my $last = -1;
        sub { my $moved = $n > $last; $last = $n; $moved };
    },
    'POSIX timer of processor time' => sub {
        my $n = 0;
        $SIG{ALRM} = sub { $n++ };
        my $id = pack 'q', 0;
        call(222, 2, 0, $id);
        my $when = pack 'q4', 0, 10_000_000, 0, 10_000_000;
        call(223, unpack('q', $id), 0, $when, 0);
        my $last = -1;
        sub { my $x; $x++ for 1 .. 1_000_000; my $moved = $n > $last; $last = $n; $moved };
    },
    'clock that does not go back' => sub {
        my ($last, $back) = (0, 0);
        sub { my $now = pack 'qq', 0, 0; call(228, 1, $now); my ($s, $ns) = unpack 'qq', $now; $now = $s + $ns / 1e9; $back ||= $now < $last || $last && $now > $last + 100; $last = $now; !$back };
    },

    # What a process is, and was set to
    'thirty threads' => sub {
        python(<<'END') },
import threading, time
counts = [0] * 30
def run(i):
    while True:
        counts[i] += 1
        time.sleep(0.01)
for i in range(30): threading.Thread(target=run, args=(i,)).start()
while True:
    before = counts[:]
    time.sleep(0.1)
    if all(now > then for now, then in zip(counts, before)): print('.')
END
    'thirty processes, each the child of the one before' => sub { telling(sub { for (1 .. 30) { if (my $pid = fork) { waitpid $pid, 0; exit } } $_[0]->() while 1 }) },
    'child that waits for a futex' => sub {
        my $at = mapping(-1);
        pipe my $r, my $w;
        if (!fork) { while (1) { syscall 202, $at, 0, 0, 0, 0, 0; syswrite $w, 'x' } }
        sub { my $n = 0; until (syscall 202, $at, 1, 1, 0, 0, 0) { select undef, undef, undef, 0.01; return 0 if $n++ > 50 } readable($r) and sysread $r, my $x, 99 };
    },
    'orphan of appinit' => sub { telling(sub { exit if fork; $_[0]->() while 1 }) },
    'child in strict seccomp' => sub { pipe my $r, my $w; my $pid = fork; if (!$pid) { call(157, 22, 1, 0, 0, 0); my $x = ' '; syscall 0, fileno $r, $x, 1 } select undef, undef, undef, 0.2; push @keep, $w; sub { status('^Seccomp:\s+1', $pid) } },
    'child in a network namespace of its own' => sub { apart(0x40000000, 'net') },
    'child in a pid namespace of its own' => sub { apart(0x20000000, 'pid') },
    'child subreaper' => sub { call(157, 36, 1, 0, 0, 0); sub { my $x = pack 'i', 0; call(157, 37, $x, 0, 0, 0); unpack 'i', $x } },
    'death signal of the parent' => sub { telling(sub { call(157, 1, 15, 0, 0, 0); my $x = pack 'i', 0; while (1) { call(157, 2, $x, 0, 0, 0); $_[0]->() if unpack('i', $x) == 15 } }) },
    'process nobody may look at' => sub { call(157, 4, 0, 0, 0, 0); sub { call(157, 3, 0, 0, 0, 0) == 0 } },
    'no new privileges' => sub { call(157, 38, 1, 0, 0, 0); sub { status('^NoNewPrivs:\s+1') } },
    'personality' => sub { call(135, 0x40000); sub { syscall(135, 0xffffffff) == 0x40000 } },
    'batch scheduling' => sub { my $p = pack 'i', 0; call(144, 0, 3, $p); sub { syscall(145, 0) == 3 } },
    'niceness' => sub { POSIX::nice(7); sub { getpriority(0, 0) == 7 } },
    'lowered limits' => sub { my @two = (64, 128); my $l = pack 'QQ', @two; call(302, 0, 7, $l, 0); sub { my $got = pack 'QQ', 0, 0; call(302, 0, 7, 0, $got); "@two" eq join ' ', unpack 'QQ', $got } },
    'umask' => sub { umask 0137; sub { umask(0137) == 0137 } },
    'name of its own' => sub { $0 = 'another name'; sub { open my $s, '<', '/proc/self/cmdline'; <$s> =~ /^another name/ and status('^Name:\s+another name') } },
    'membarrier' => sub { call(324, 16, 0, 0); sub { syscall(324, 8, 0, 0) == 0 } },
    'key in a session keyring' => sub { my ($type, $name, $text) = ('user', 'it', 'secret'); my $id = call(248, $type, $name, $text, 6, -3); call(250, 15, $id, 300); sub { my $x = "\0" x 9; syscall(250, 11, $id, $x, 9) == 6 } },
    'landlock' => sub {
        my $rights = pack 'Q', 1 << 9;
        my $fd = call(444, $rights, 8, 0);
        call(157, 38, 1, 0, 0, 0);
        call(446, $fd, 0);
        POSIX::close($fd);
        sub { socket my $s, AF_UNIX, SOCK_STREAM, 0; unlink "$dir/forbidden"; !bind $s, sockaddr_un("$dir/forbidden") and $!{EACCES} };
    },
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
