/*
 * Two processes that talk over one loopback connection all the time and believe no error to be harmless.
 *
 *   converse [--report FILE] [--interval-ms I] [--idle MS]
 *
 * Each side sends a numbered message of 512 bytes every I ms (default 2) and, every half second and at the same moment
 * as the other, as many as the socket takes while it does not read for 20 ms, so that both buffers (512 KB each) are
 * full. Every byte that arrives is compared with what it has to be. With --idle MS there is one message every MS and
 * no burst. Whatever send() or recv() complain of is kept, the connection is never made anew: after an error the same
 * bytes are tried again, so an error that passes shows as errors with messages going on.
 *
 *   SIGUSR2   to the first process: write a report
 *   SIGTERM   to the first process: both end
 *
 * A report is also written when both have sent something. FILE (default /tmp/converse.out) is one JSON object:
 *   seq, node, pid, unixTime
 *   ok                   no error, no wrong byte, both processes alive
 *   sent, received       messages, as [first process, second process]
 *   bursts               times a burst ended with a full buffer, both together
 *   wrong                messages that were not as expected
 *   errors               how many calls failed; errorTexts: the first of them, "who: call: errno N text"
 *   longestSilenceMillis, silenceEndedAt   longest time without a byte of the other, since the last report
 *   silentMillis         time since something arrived last, the longer of both
 */
#define _GNU_SOURCE
#include "payload.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define WORDS 64
#define MESSAGE_BYTES (WORDS * sizeof(uint64_t))
#define BURST_PERIOD_NANOS (NANOS_PER_SECOND / 2)
#define BURST_NANOS (20 * NANOS_PER_MILLI)
#define BURST_MESSAGES (8 * 1024 * 1024 / MESSAGE_BYTES)
#define BUFFER_BYTES (512 * 1024)
#define ERRORS 8
#define ERROR_SIZE 80

static const char HELP[] = "usage: converse [--report FILE] [--interval-ms I] [--idle MS]\n"
                           "SIGUSR2: report; SIGTERM: end (both to the first process)\n";

/* One per process, in memory that both share. Only its own process writes it, but for longest_silence. */
struct side {
    atomic_int pid;
    atomic_ulong sent, received, bursts, wrong, errors;
    atomic_long last_arrival, longest_silence, silence_end;
    char texts[ERRORS][ERROR_SIZE];
};

static struct side *sides;
static int self, connection;
static uint64_t out[WORDS], in[WORDS], burst_left;
static size_t out_left, in_have; /* bytes */
static const char *report_file;
static volatile sig_atomic_t report_wanted, end_wanted;

static void on_signal(int signal) {
    if (signal == SIGUSR2) {
        report_wanted = 1;
    } else {
        end_wanted = 1;
    }
}

static void make_message(uint64_t words[WORDS], int from, uint64_t number) {
    words[0] = number;
    for (int i = 1; i < WORDS; i++) {
        words[i] = (words[i - 1] + (uint64_t) from + 1) * 6364136223846793005ULL + 1442695040888963407ULL;
    }
}

static void fault(const char *call, int error) {
    struct side *mine = &sides[self];
    unsigned long index = mine->errors;
    if (index < ERRORS) {
        snprintf(mine->texts[index], ERROR_SIZE, "%s: %s: errno %d %s", self ? "second" : "first", call, error,
            error ? strerror(error) : "closed by the other");
    }
    mine->errors++;
    pause_nanos(NANOS_PER_MILLI); /* an error that stays must not eat the machine */
}

/* Returns whether the whole message went out. */
static int send_one(void) {
    struct side *mine = &sides[self];
    if (out_left == 0) {
        make_message(out, self, mine->sent);
        out_left = MESSAGE_BYTES;
    }
    ssize_t length = send(connection, (char *) out + MESSAGE_BYTES - out_left, out_left, MSG_NOSIGNAL);
    if (length < 0) {
        if (errno != EAGAIN) {
            fault("send", errno);
        }
        return 0;
    }
    out_left -= (size_t) length;
    mine->sent += out_left == 0;
    return out_left == 0;
}

static void note_arrival(struct side *mine) {
    int64_t now = nanos(CLOCK_REALTIME), silence = now - mine->last_arrival;
    if (silence > mine->longest_silence) {
        mine->longest_silence = silence;
        mine->silence_end = now;
    }
    mine->last_arrival = now;
}

static void check_message(struct side *mine) {
    uint64_t expected[WORDS];
    make_message(expected, !self, mine->received);
    if (memcmp(expected, in, MESSAGE_BYTES) != 0) {
        mine->wrong++;
    }
    mine->received++;
}

static void receive_all(void) {
    struct side *mine = &sides[self];
    for (;;) {
        ssize_t length = recv(connection, (char *) in + in_have, MESSAGE_BYTES - in_have, 0);
        if (length <= 0) {
            if (length == 0 || errno != EAGAIN) {
                fault("recv", length == 0 ? 0 : errno);
            }
            return;
        }
        note_arrival(mine);
        in_have += (size_t) length;
        if (in_have == MESSAGE_BYTES) {
            check_message(mine);
            in_have = 0;
        }
    }
}

/* Sends what is due; while a burst is on, that is what the socket takes. */
static void send_due(uint64_t *due) {
    while (*due > 0 && send_one()) {
        (*due)--;
    }
    while (burst_left > 0) {
        if (!send_one()) {
            sides[self].bursts++;
            burst_left = 0;
        } else {
            burst_left--;
        }
    }
}

static int alive(int index) { return kill(sides[index].pid, 0) == 0; }

static void report(void) {
    static int sequence;
    char text[4096], node[NAME_SIZE];
    struct side *a = &sides[0], *b = &sides[1];
    struct side *longest = a->longest_silence > b->longest_silence ? a : b;
    int64_t now = nanos(CLOCK_REALTIME), last = a->last_arrival < b->last_arrival ? a->last_arrival : b->last_arrival;
    unsigned long errors = a->errors + b->errors, wrong = a->wrong + b->wrong;
    read_node(NODE_FILE, node);
    int length = snprintf(text, sizeof text,
        "{\"seq\":%d,\"node\":\"%s\",\"pid\":%d,\"ok\":%s,\"sent\":[%lu,%lu],\"received\":[%lu,%lu],\"bursts\":%lu,"
        "\"wrong\":%lu,\"errors\":%lu,\"longestSilenceMillis\":%.3f,\"silenceEndedAt\":%.6f,\"silentMillis\":%.3f,"
        "\"unixTime\":%.6f,\"errorTexts\":[",
        ++sequence, node, getpid(), errors == 0 && wrong == 0 && alive(1) ? "true" : "false", a->sent, b->sent,
        a->received, b->received, a->bursts + b->bursts, wrong, errors, millis(longest->longest_silence),
        seconds(longest->silence_end), millis(now - last), seconds(now));
    const char *comma = "";
    for (int s = 0; s < 2; s++) {
        for (unsigned long i = 0; i < sides[s].errors && i < ERRORS; i++, comma = ",") {
            length += snprintf(text + length, sizeof text - (size_t) length, "%s\"%s\"", comma, sides[s].texts[i]);
        }
        sides[s].longest_silence = 0;
    }
    snprintf(text + length, sizeof text - (size_t) length, "]}\n");
    publish(report_file, text);
}

static void talk(int64_t interval, int bursts) {
    int64_t next = nanos(CLOCK_MONOTONIC), last_burst = next / BURST_PERIOD_NANOS;
    uint64_t due = 0;
    while (!end_wanted) {
        int64_t now = nanos(CLOCK_MONOTONIC), phase = now % BURST_PERIOD_NANOS;
        int in_burst = bursts && phase < BURST_NANOS;
        if (in_burst && now / BURST_PERIOD_NANOS != last_burst) {
            last_burst = now / BURST_PERIOD_NANOS;
            burst_left = BURST_MESSAGES;
        } else if (!in_burst) {
            burst_left = 0;
            receive_all();
        }
        if (now >= next) {
            due = 1; /* what a freeze held up is not sent afterwards at once */
            next = now + interval;
        }
        send_due(&due);
        if (report_wanted) {
            report_wanted = 0;
            report();
        }
        int64_t wait = next - nanos(CLOCK_MONOTONIC);
        struct pollfd readable = {.fd = connection, .events = in_burst ? 0 : POLLIN};
        wait = wait < 0 ? 0 : in_burst && wait > NANOS_PER_MILLI ? NANOS_PER_MILLI : wait;
        struct timespec time = {wait / NANOS_PER_SECOND, wait % NANOS_PER_SECOND};
        ppoll(&readable, 1, &time, NULL);
    }
}

/* An accepted connection has the sizes of its listener. */
static int buffered_socket(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), bytes = BUFFER_BYTES;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    return fd;
}

/* The first process listens and accepts, the second connects. */
static void connect_both(void) {
    int on = 1, listener = buffered_socket();
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *) &address, length) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *) &address, &length) < 0) {
        die("listen");
    }
    pid_t first = getpid(), child = fork();
    if (child < 0) {
        die("fork");
    }
    self = child == 0;
    if (self) {
        close(listener);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        connection = buffered_socket();
        if (getppid() != first || connect(connection, (struct sockaddr *) &address, sizeof address) < 0) {
            die("connect");
        }
    } else {
        connection = accept(listener, NULL, NULL); /* the listener stays open: a job has such a socket too */
        if (connection < 0) {
            die("accept");
        }
    }
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(connection, F_SETFL, O_NONBLOCK);
    sides[self].last_arrival = nanos(CLOCK_REALTIME);
    sides[self].pid = getpid();
}

int main(int count, char **values) {
    struct arguments arguments = read_arguments(count, values, HELP);
    report_file = text_argument(&arguments, "--report", "/tmp/converse.out");
    long interval = number_argument(&arguments, "--interval-ms", 2);
    long idle = number_argument(&arguments, "--idle", 0);
    end_arguments(&arguments);
    if (interval < 1) {
        usage(&arguments, 2);
    }
    sides = mmap(NULL, sizeof *sides * 2, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sides == MAP_FAILED) {
        die("mmap");
    }
    signal(SIGHUP, SIG_IGN); /* a payload outlives the terminal it was started from */
    signal(SIGCHLD, SIG_IGN); /* a second process that died is gone and not a zombie: see alive() */
    struct sigaction action = {.sa_handler = on_signal};
    connect_both();
    sigaction(SIGTERM, &action, NULL);
    if (self == 0) {
        sigaction(SIGUSR2, &action, NULL);
        while (sides[1].pid == 0) {
            pause_nanos(NANOS_PER_MILLI);
        }
        report_wanted = 1;
    }
    talk((idle ? idle : interval) * NANOS_PER_MILLI, idle == 0);
    return sides[self].errors > 0 || sides[self].wrong > 0;
}
