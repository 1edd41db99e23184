/*
 * One of everything: a tree of 20 processes that uses what the kernel offers to programs, and checks all of it
 * continuously. A migration that loses or breaks any of it is found out within a second or two.
 *
 *   zoo --dir DIR [--report FILE]
 *
 * DIR (must exist) gets the tree's own files. Start it as a session leader, for example by setsid.
 *
 * What is used, and how it is checked:
 *   process tree            each process has up to three children; the first answers for all
 *   pipes, unix sockets     a numbered token goes round a ring of the 20 processes over pipes, stream, datagram and
 *                           seqpacket pairs and one connection to a bound unix socket; each process sees each number once
 *   threads, eventfd        every process has a thread that feeds an eventfd; the sums have to agree
 *   timers                  timerfd, setitimer and a POSIX timer in every process, by epoll and signalfd, have to go on
 *   shared memory, memfd    processes read each other's counters there; the memfd is written by pwrite and read mapped
 *   flock, POSIX locks      every process holds one of each; its successor tries them and must not get them
 *   zombies                 two processes have a child that ended with 7, and do not take that answer
 *   deleted file            every process reads back what it wrote to a file that has no name any more
 *   clocks                  CLOCK_MONOTONIC and CLOCK_BOOTTIME may not go back
 *
 *   SIGUSR2   to the first process: write a report once every process has been seen at work, at most 3 s later
 *   SIGTERM   to the first process: all end and DIR's files go
 *
 * A report is also written when all processes have started. FILE (default DIR/zoo.out) is one JSON object:
 *   seq, node, pid, unixTime
 *   ok                   all 20 processes at work and no error so far
 *   processes            how many were seen at work since the signal
 *   errors               texts, at most 4 per process; errors stay for ever
 *   ringRounds, timerFires, lockChecks   sums since the start
 *   timerLateMaxMillis   largest lateness of a timerfd by CLOCK_MONOTONIC. A pass of the event loop that took over
 *                        100 ms is a gap (a freeze): what was late because of one is not counted
 *   monotonicStepsBack, boottimeStepsBack
 */
#define _GNU_SOURCE
#include "payload.h"
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>

#define PROCESSES 20
#define CHILDREN 3
#define ERRORS 4
#define ERROR_SIZE 120
#define GHOST_WORDS 1024
#define ZOMBIE_SAYS 7
#define PERIOD_NANOS (10 * NANOS_PER_MILLI)
#define GAP_NANOS (100 * NANOS_PER_MILLI)
#define SILENT_NANOS (3 * NANOS_PER_SECOND)
#define CHECK_NANOS (100 * NANOS_PER_MILLI)

static const char HELP[] =
    "usage: zoo --dir DIR [--report FILE]\nSIGUSR2: report; SIGTERM: end (both to the first process)\n";

/* One per process, in memory that all share. Only its own process writes it. */
struct slot {
    atomic_int pid;
    atomic_ulong passes, rounds, timer_fires, lock_checks;
    atomic_long timer_late_max;
    atomic_ulong monotonic_steps_back, boottime_steps_back;
    atomic_int error_count;
    char errors[ERRORS][ERROR_SIZE];
};

struct token {
    uint64_t number, check;
};

enum timer { TIMER_FD, TIMER_INTERVAL, TIMER_POSIX, TIMERS };
static const char *const TIMER_NAMES[TIMERS] = {"timerfd", "setitimer", "POSIX timer"};

static struct slot *slots;
static uint64_t *memfd_view;
static int memfd;
static int ring_in[PROCESSES], ring_out[PROCESSES], listener;
static int self;
static const char *directory, *report_file;

static int epoll, timer_fd, event_fd, signal_fd, ghost_fd, flock_fd, posix_fd;
static atomic_ulong fed; /* what the thread has put into event_fd */
static uint64_t eaten, token_number, ghost_round, memfd_round, seen_of_successor;
static int64_t timer_fired[TIMERS], token_arrived, last_pass, last_check;
static struct token held; /* the first process keeps the token until its next tick */
static int holding;
static pid_t zombie; /* 0 if it has none */
static struct clock_watch clocks;

__attribute__((format(printf, 1, 2))) static void fault(const char *format, ...) {
    struct slot *slot = &slots[self];
    int index = slot->error_count;
    if (index < ERRORS) {
        va_list values;
        va_start(values, format);
        int length = snprintf(slot->errors[index], ERROR_SIZE, "process %d: ", self);
        vsnprintf(slot->errors[index] + length, ERROR_SIZE - (size_t) length, format, values);
        va_end(values);
        slot->error_count = index + 1;
    }
}

static char *path_in(const char *name, int number) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/zoo.%s.%d", directory, name, number);
    return path;
}

static void need(int result, const char *what) {
    if (result < 0) {
        die(what);
    }
}

/* ---- what is made before the tree is forked */

static void make_shared_memory(void) {
    slots = mmap(NULL, PROCESSES * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memfd = memfd_create("zoo", 0);
    need(memfd, "memfd_create");
    need(ftruncate(memfd, PROCESSES * sizeof *memfd_view), "ftruncate");
    memfd_view = mmap(NULL, PROCESSES * sizeof *memfd_view, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
    if (slots == MAP_FAILED || memfd_view == MAP_FAILED) {
        die("mmap");
    }
}

/* ends[0] is to read from, ends[1] to write to. */
static void make_bound_connection(int ends[2]) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/zoo.socket", directory);
    unlink(address.sun_path);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ends[1] = socket(AF_UNIX, SOCK_STREAM, 0);
    need(bind(listener, (struct sockaddr *) &address, sizeof address), "bind");
    need(listen(listener, 4), "listen");
    need(connect(ends[1], (struct sockaddr *) &address, sizeof address), "connect");
    ends[0] = accept(listener, NULL, NULL);
    need(ends[0], "accept");
}

static void make_link(int index, int ends[2]) {
    switch (index % 4) {
        case 0: need(pipe(ends), "pipe"); break;
        case 1: need(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair"); break;
        case 2: need(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair"); break;
        default:
            if (index == PROCESSES - 1) {
                make_bound_connection(ends);
            } else {
                need(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), "socketpair");
            }
    }
}

/* The link with index i leads from process i to its successor. */
static void make_ring(void) {
    for (int i = 0; i < PROCESSES; i++) {
        int ends[2];
        make_link(i, ends);
        ring_in[(i + 1) % PROCESSES] = ends[0];
        ring_out[i] = ends[1];
    }
}

/* ---- the tree */

/* Process i has the children 3i+1 to 3i+3. Returns in every process, with `self` set. */
static void grow_tree(int process) {
    self = process;
    for (int i = 1; i <= CHILDREN && process * CHILDREN + i < PROCESSES; i++) {
        pid_t child = fork();
        need(child, "fork");
        if (child == 0) {
            grow_tree(process * CHILDREN + i);
            return;
        }
    }
}

/* So that a process that dies is noticed by its neighbours as the end of their links. */
static void close_links_of_others(void) {
    for (int i = 0; i < PROCESSES; i++) {
        if (i != self) {
            close(ring_in[i]);
            close(ring_out[i]);
        }
    }
    if (self != 0) {
        close(listener);
    }
}

/* ---- what every process makes for itself */

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    need(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void make_timers(void) {
    struct itimerspec period = {{0, PERIOD_NANOS}, {0, PERIOD_NANOS}};
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    need(timer_fd, "timerfd_create");
    need(timerfd_settime(timer_fd, 0, &period, NULL), "timerfd_settime");

    struct itimerval interval = {{0, 20000}, {0, 20000}};
    need(setitimer(ITIMER_REAL, &interval, NULL), "setitimer");

    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct itimerspec slow = {{0, 3 * PERIOD_NANOS}, {0, 3 * PERIOD_NANOS}};
    need(timer_create(CLOCK_MONOTONIC, &event, &timer), "timer_create");
    need(timer_settime(timer, 0, &slow, NULL), "timer_settime");
}

static void *feed(void *unused) {
    (void) unused;
    for (uint64_t one = 1;;) {
        pause_nanos(PERIOD_NANOS);
        fed++;
        if (write(event_fd, &one, sizeof one) != sizeof one) {
            fault("eventfd cannot be written: %s", strerror(errno));
            return NULL;
        }
    }
}

static void make_thread(void) {
    pthread_t thread;
    event_fd = eventfd(0, EFD_NONBLOCK);
    need(event_fd, "eventfd");
    if (pthread_create(&thread, NULL, feed, NULL) != 0) {
        die("pthread_create");
    }
}

static void make_locks(void) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    flock_fd = open(path_in("flock", self), O_RDWR | O_CREAT, 0600);
    need(flock_fd, "open");
    need(flock(flock_fd, LOCK_EX | LOCK_NB), "flock");
    posix_fd = open(path_in("posix", self), O_RDWR | O_CREAT, 0600);
    need(posix_fd, "open");
    need(fcntl(posix_fd, F_SETLK, &lock), "lock");
}

static void write_ghost(void) {
    uint64_t words[GHOST_WORDS];
    ghost_round++;
    for (uint64_t i = 0; i < GHOST_WORDS; i++) {
        words[i] = ghost_round * 1000003 + i;
    }
    if (pwrite(ghost_fd, words, sizeof words, 0) != sizeof words) {
        fault("deleted file cannot be written: %s", strerror(errno));
    }
}

static void make_ghost(void) {
    ghost_fd = open(path_in("ghost", self), O_RDWR | O_CREAT | O_TRUNC, 0600);
    need(ghost_fd, "open");
    unlink(path_in("ghost", self));
    write_ghost();
}

static void make_zombie(void) {
    siginfo_t end;
    zombie = fork();
    need(zombie, "fork");
    if (zombie == 0) {
        _exit(ZOMBIE_SAYS);
    }
    need(waitid(P_PID, (id_t) zombie, &end, WEXITED | WNOWAIT), "waitid");
}

static void make_own(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGALRM);
    sigaddset(&signals, SIGRTMIN);
    sigaddset(&signals, SIGUSR2);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal_fd = signalfd(-1, &signals, SFD_NONBLOCK);
    need(signal_fd, "signalfd");
    epoll = epoll_create1(0);
    need(epoll, "epoll_create1");
    make_locks();
    make_ghost();
    if (self % (PROCESSES - 1) == 0) {
        make_zombie();
    }
    make_thread();
    make_timers();
    watch(ring_in[self]);
    watch(timer_fd);
    watch(event_fd);
    watch(signal_fd);
}

/* ---- checks */

static void fired(enum timer timer, uint64_t times, int64_t now) {
    slots[self].timer_fires += times;
    if (timer == TIMER_FD && times == 1) {
        int64_t late = now - timer_fired[timer] - PERIOD_NANOS;
        if (late > slots[self].timer_late_max) {
            slots[self].timer_late_max = late;
        }
    }
    timer_fired[timer] = now;
}

static void pass_token(void) {
    struct token next = {held.number + (self == 0), 0};
    next.check = ~next.number * 31;
    holding = 0;
    if (write(ring_out[self], &next, sizeof next) != sizeof next) {
        fault("the next process of the ring is gone: %s", strerror(errno));
    }
}

static void take_token(int64_t now) {
    ssize_t length = read(ring_in[self], &held, sizeof held);
    if (length == 0) {
        _exit(1); /* the process before this one is gone: the whole ring ends one after the other */
    }
    if (length != sizeof held || held.check != ~held.number * 31) {
        fault("broken token of %zd bytes", length);
    } else if (held.number != token_number + 1) {
        fault("token %lu after %lu", held.number, token_number);
    }
    token_number = held.number;
    token_arrived = now;
    slots[self].rounds++;
    if (self == 0) {
        holding = 1;
    } else {
        pass_token();
    }
}

static void take_timer_fd(int64_t now) {
    uint64_t times;
    if (read(timer_fd, &times, sizeof times) == sizeof times) {
        fired(TIMER_FD, times, now);
    }
    if (holding) {
        pass_token();
    }
}

static void take_event_fd(void) {
    uint64_t sum;
    if (read(event_fd, &sum, sizeof sum) == sizeof sum) {
        eaten += sum;
    }
    /* the thread counts before it writes, so it may be one ahead */
    uint64_t now_fed = fed;
    if (eaten > now_fed) {
        fault("eventfd gave %lu, the thread put in %lu", eaten, now_fed);
    }
}

static void check_zombie(void) {
    siginfo_t end = {0};
    if (zombie && (waitid(P_PID, (id_t) zombie, &end, WEXITED | WNOHANG | WNOWAIT) || end.si_pid != zombie ||
                   end.si_code != CLD_EXITED || end.si_status != ZOMBIE_SAYS)) {
        fault("zombie %d is now %d, and says %d", zombie, end.si_pid, end.si_status);
    }
}

static void check_ghost(void) {
    uint64_t words[GHOST_WORDS];
    if (pread(ghost_fd, words, sizeof words, 0) != sizeof words) {
        fault("deleted file cannot be read: %s", strerror(errno));
        return;
    }
    for (uint64_t i = 0; i < GHOST_WORDS; i++) {
        if (words[i] != ghost_round * 1000003 + i) {
            fault("deleted file has other contents at word %lu", i);
            break;
        }
    }
    write_ghost();
}

static void check_memfd(void) {
    uint64_t mine = memfd_view[self];
    if (mine != memfd_round) {
        fault("memfd has %lu mapped, %lu was written", mine, memfd_round);
    }
    memfd_round++;
    if (pwrite(memfd, &memfd_round, sizeof memfd_round, self * (off_t) sizeof memfd_round) != sizeof memfd_round) {
        fault("memfd cannot be written: %s", strerror(errno));
    }
    uint64_t other = 0;
    int successor = (self + 1) % PROCESSES;
    if (pread(memfd, &other, sizeof other, successor * (off_t) sizeof other) != sizeof other ||
        other < seen_of_successor) {
        fault("memfd: process %d went back from %lu to %lu", successor, seen_of_successor, other);
    }
    seen_of_successor = other;
}

/* The locks of the successor must be held, by the successor. */
static void check_locks(void) {
    int other = (self + 1) % PROCESSES;
    int fd = open(path_in("flock", other), O_RDWR | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
        fault("flock of process %d is not held: %s", other, fd < 0 ? strerror(errno) : "got it");
    }
    close(fd);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fd = open(path_in("posix", other), O_RDWR | O_CLOEXEC);
    if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type != F_WRLCK || lock.l_pid != slots[other].pid) {
        fault("POSIX lock of process %d is not held by it", other);
    }
    close(fd);
    slots[self].lock_checks++;
}

static void check_clocks(void) {
    watch_clocks(&clocks);
    slots[self].monotonic_steps_back = clocks.monotonic_steps_back;
    slots[self].boottime_steps_back = clocks.boottime_steps_back;
}

static void check_going_on(int64_t now) {
    for (int timer = 0; timer < TIMERS; timer++) {
        if (now - timer_fired[timer] > SILENT_NANOS) {
            fault("%s does not fire", TIMER_NAMES[timer]);
            timer_fired[timer] = now;
        }
    }
    if (now - token_arrived > SILENT_NANOS) {
        fault("the ring stands still after token %lu", token_number);
        token_arrived = now;
    }
    if (eaten + SILENT_NANOS / PERIOD_NANOS < fed) {
        fault("eventfd gave %lu, the thread put in %lu", eaten, (uint64_t) fed);
        eaten = fed;
    }
}

/* After a freeze nothing is late yet. */
static void note_gap(int64_t now) {
    if (now - last_pass > GAP_NANOS) {
        for (int timer = 0; timer < TIMERS; timer++) {
            timer_fired[timer] = now;
        }
        token_arrived = now;
    }
    last_pass = now;
}

/* ---- the first process answers for all */

static uint64_t passes_before[PROCESSES];
static int64_t report_due; /* 0: none wanted */

static void want_report(int64_t now) {
    report_due = now + SILENT_NANOS;
    for (int i = 0; i < PROCESSES; i++) {
        passes_before[i] = slots[i].passes;
    }
}

static int at_work(void) {
    int count = 0;
    for (int i = 0; i < PROCESSES; i++) {
        count += slots[i].passes > passes_before[i];
    }
    return count;
}

static void report(int working) {
    static int sequence;
    static char text[PROCESSES * ERRORS * (ERROR_SIZE + 4) + 1024];
    char node[NAME_SIZE], *end = text;
    uint64_t fires = 0, locks = 0, monotonic = 0, boottime = 0;
    int64_t late = 0;
    int errors = 0;
    read_node(NODE_FILE, node);
    end += sprintf(end, "{\"seq\":%d,\"node\":\"%s\",\"pid\":%d,\"processes\":%d,\"errors\":[", ++sequence, node,
        getpid(), working);
    for (int i = 0; i < PROCESSES; i++) {
        struct slot *slot = &slots[i];
        fires += slot->timer_fires;
        locks += slot->lock_checks;
        monotonic += slot->monotonic_steps_back;
        boottime += slot->boottime_steps_back;
        late = slot->timer_late_max > late ? slot->timer_late_max : late;
        for (int k = 0; k < slot->error_count; k++) {
            end += sprintf(end, "%s\"%s\"", errors++ ? "," : "", slot->errors[k]);
        }
    }
    sprintf(end,
        "],\"ok\":%s,\"ringRounds\":%lu,\"timerFires\":%lu,\"lockChecks\":%lu,\"timerLateMaxMillis\":%.3f,"
        "\"monotonicStepsBack\":%lu,\"boottimeStepsBack\":%lu,\"unixTime\":%.6f}\n",
        working == PROCESSES && errors == 0 && monotonic + boottime == 0 ? "true" : "false", slots[0].rounds, fires,
        locks, millis(late), monotonic, boottime, seconds(nanos(CLOCK_REALTIME)));
    publish(report_file, text);
}

static void report_if_wanted(int64_t now) {
    int working = at_work();
    if (report_due && (working == PROCESSES || now > report_due)) {
        report_due = 0;
        report(working);
    }
}

static void end_all(void) {
    char socket[4096];
    for (int i = 1; i < PROCESSES; i++) {
        kill(slots[i].pid, SIGKILL);
    }
    for (int i = 0; i < PROCESSES; i++) {
        unlink(path_in("flock", i));
        unlink(path_in("posix", i));
    }
    snprintf(socket, sizeof socket, "%s/zoo.socket", directory);
    unlink(socket);
    exit(0);
}

static void take_signals(int64_t now) {
    struct signalfd_siginfo signal;
    while (read(signal_fd, &signal, sizeof signal) == sizeof signal) {
        if (signal.ssi_signo == SIGALRM) {
            fired(TIMER_INTERVAL, 1, now);
        } else if (signal.ssi_signo == (uint32_t) SIGRTMIN) {
            fired(TIMER_POSIX, 1 + signal.ssi_overrun, now);
        } else if (self == 0 && signal.ssi_signo == SIGUSR2) {
            want_report(now);
        } else if (self == 0 && signal.ssi_signo == SIGTERM) {
            end_all();
        }
    }
}

/* ---- the event loop of every process */

static void take(int fd, int64_t now) {
    if (fd == ring_in[self]) {
        take_token(now);
    } else if (fd == timer_fd) {
        take_timer_fd(now);
    } else if (fd == event_fd) {
        take_event_fd();
    } else {
        take_signals(now);
    }
}

static void check_all(int64_t now) {
    last_check = now;
    check_ghost();
    check_zombie();
    check_memfd();
    check_locks();
    check_going_on(now);
}

static void live(void) {
    struct epoll_event events[8];
    for (;;) {
        int count = epoll_wait(epoll, events, 8, 50);
        int64_t now = nanos(CLOCK_MONOTONIC);
        note_gap(now);
        check_clocks();
        for (int i = 0; i < count; i++) {
            take(events[i].data.fd, now);
        }
        if (now - last_check > CHECK_NANOS) {
            check_all(now);
        }
        slots[self].passes++;
        if (self == 0) {
            report_if_wanted(now);
        }
    }
}

static void wait_for_all(void) {
    slots[self].pid = getpid();
    for (int i = 0; i < PROCESSES; i++) {
        while (slots[i].pid == 0) {
            pause_nanos(NANOS_PER_MILLI);
        }
    }
}

int main(int count, char **values) {
    struct arguments arguments = read_arguments(count, values, HELP);
    char default_report[4096];
    directory = text_argument(&arguments, "--dir", NULL);
    report_file = text_argument(&arguments, "--report", NULL);
    end_arguments(&arguments);
    if (!directory) {
        usage(&arguments, 2);
    }
    if (!report_file) {
        snprintf(default_report, sizeof default_report, "%s/zoo.out", directory);
        report_file = default_report;
    }
    signal(SIGHUP, SIG_IGN);  /* a payload outlives the terminal it was started from */
    signal(SIGPIPE, SIG_IGN); /* a lost neighbour is a fault to report */

    make_shared_memory();
    make_ring();
    grow_tree(0);
    close_links_of_others();
    make_own();
    wait_for_all();
    last_pass = 0;
    note_gap(nanos(CLOCK_MONOTONIC));
    if (self == 0) {
        holding = 1;
        want_report(nanos(CLOCK_MONOTONIC));
    }
    live();
}
