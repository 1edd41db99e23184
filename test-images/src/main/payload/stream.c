/*
 * TCP connections that notice every lost, doubled, changed or late byte, in both directions.
 *
 *   stream server --port P [--bind ADDR] [--rate-kb R] [--mb N] [--report FILE]
 *   stream client --to ADDR:PORT [--from ADDR] [--count N] [--rate-kb R] [--report FILE]
 *
 * Each side sends numbered records of 64 bytes at R KB/s (default 256, so four a millisecond) and checks the other's.
 * The server serves up to 512 connections; the client makes N (default 1), and tries for 10 s to connect. An IPv6
 * address before a port stands in brackets. R is for each connection. N MiB of memory hold numbers that are not used.
 *
 *   SIGUSR1   write a report, then begin the gap statistics anew
 *   SIGTERM   write a last report and end: 0 if there was no error, else 1
 *
 * The client also reports and ends when the connection does (code 1); the server goes on. A report is also written
 * when the connection is made (server: when it listens). FILE (default /tmp/stream-server.out or
 * /tmp/stream-client.out) is one JSON object:
 *   seq, role, node, pid
 *   state          "established", "listening", or how the connection ended: "closed" or the error's text
 *   connections    now established; accepted: since the start; lost: ended since the start
 *   sent, received records in all connections; errors: records that were not the expected ones
 *   longestGapMillis, gapEndedAt   longest time between two arrivals of data in one connection; epoch seconds
 *   silentMillis   time since data arrived last
 */
#define _GNU_SOURCE
#include "payload.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#define RECORD_WORDS 8
#define RECORD_BYTES (RECORD_WORDS * sizeof(uint64_t))
#define MAX_CONNECTIONS 512
#define CONNECT_NANOS (10 * NANOS_PER_SECOND)

static const char HELP[] =
    "usage: stream server --port P [--bind ADDR] [--rate-kb R] [--mb N] [--report FILE]\n"
    "       stream client --to ADDR:PORT [--from ADDR] [--count N] [--rate-kb R] [--report FILE]\n"
    "SIGUSR1: report, then reset the gap statistics; SIGTERM: report and end\n";

struct connection {
    int fd;
    uint64_t sent, received; /* records; also the next number to send and to expect */
    int64_t last_arrival;
    uint64_t out[RECORD_WORDS], in[RECORD_WORDS];
    size_t out_left, in_have; /* bytes */
};

static struct connection connections[MAX_CONNECTIONS];
static int connection_count;
static uint64_t accepted, lost, sent, received, errors;
static int64_t longest_gap, gap_end;
static const char *role, *report_file;
static char state[128];
static volatile sig_atomic_t report_wanted, end_wanted;

static void on_signal(int signal) {
    if (signal == SIGUSR1) {
        report_wanted = 1;
    } else {
        end_wanted = 1;
    }
}

static void make_record(uint64_t record[RECORD_WORDS], uint64_t number) {
    for (int i = 0; i < RECORD_WORDS; i++) {
        record[i] = number + (uint64_t) i * 0x9E3779B97F4A7C15ULL;
    }
}

static int64_t silence(void) {
    int64_t silent = 0, now = nanos(CLOCK_REALTIME);
    for (int i = 0; i < connection_count; i++) {
        if (now - connections[i].last_arrival > silent) {
            silent = now - connections[i].last_arrival;
        }
    }
    return silent;
}

static void report(void) {
    static int sequence;
    char text[1024], node[NAME_SIZE];
    read_node(NODE_FILE, node);
    snprintf(text, sizeof text,
        "{\"seq\":%d,\"role\":\"%s\",\"node\":\"%s\",\"pid\":%d,\"state\":\"%s\",\"connections\":%d,\"accepted\":%lu,"
        "\"lost\":%lu,\"sent\":%lu,\"received\":%lu,\"errors\":%lu,\"longestGapMillis\":%.3f,\"gapEndedAt\":%.6f,"
        "\"silentMillis\":%.3f,\"unixTime\":%.6f}\n",
        ++sequence, role, node, getpid(), state, connection_count, accepted, lost, sent, received, errors,
        millis(longest_gap), seconds(gap_end), millis(silence()), seconds(nanos(CLOCK_REALTIME)));
    publish(report_file, text);
}

static void add_connection(int fd) {
    int on = 1;
    struct connection *connection = &connections[connection_count++];
    memset(connection, 0, sizeof *connection);
    connection->fd = fd;
    connection->last_arrival = nanos(CLOCK_REALTIME);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    snprintf(state, sizeof state, "established");
    accepted++;
}

static void drop_connection(int index, const char *why) {
    close(connections[index].fd);
    connections[index] = connections[--connection_count];
    snprintf(state, sizeof state, "%s", why);
    lost++;
}

/* Returns NULL, or why the connection is at its end. */
static const char *send_until(struct connection *connection, uint64_t due) {
    while (connection->out_left > 0 || connection->sent < due) {
        if (connection->out_left == 0) {
            make_record(connection->out, connection->sent++);
            connection->out_left = RECORD_BYTES;
            sent++;
        }
        const char *from = (const char *) connection->out + RECORD_BYTES - connection->out_left;
        ssize_t length = send(connection->fd, from, connection->out_left, MSG_NOSIGNAL);
        if (length < 0) {
            return errno == EAGAIN || errno == EINTR ? NULL : strerror(errno);
        }
        connection->out_left -= (size_t) length;
    }
    return NULL;
}

static void check_record(struct connection *connection) {
    uint64_t expected[RECORD_WORDS];
    make_record(expected, connection->received);
    if (memcmp(expected, connection->in, RECORD_BYTES) != 0) {
        errors++;
        connection->received = connection->in[0]; /* one fault shall not count for all that follow */
    }
    connection->received++;
    received++;
}

static void note_arrival(struct connection *connection) {
    int64_t now = nanos(CLOCK_REALTIME);
    if (now - connection->last_arrival > longest_gap) {
        longest_gap = now - connection->last_arrival;
        gap_end = now;
    }
    connection->last_arrival = now;
}

static const char *receive(struct connection *connection) {
    for (;;) {
        char *into = (char *) connection->in + connection->in_have;
        ssize_t length = recv(connection->fd, into, RECORD_BYTES - connection->in_have, 0);
        if (length < 0) {
            return errno == EAGAIN || errno == EINTR ? NULL : strerror(errno);
        }
        if (length == 0) {
            return "closed";
        }
        note_arrival(connection);
        connection->in_have += (size_t) length;
        if (connection->in_have == RECORD_BYTES) {
            check_record(connection);
            connection->in_have = 0;
        }
    }
}

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static union address address_of(const char *host, long port) {
    union address address = {.four = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)}};
    if (inet_pton(AF_INET, host, &address.four.sin_addr) == 1) {
        return address;
    }
    address = (union address) {.six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port)}};
    if (inet_pton(AF_INET6, host, &address.six.sin6_addr) == 1) {
        return address;
    }
    fprintf(stderr, "not an address: %s\n", host);
    exit(2);
}

static socklen_t length_of(const union address *address) {
    return address->any.sa_family == AF_INET ? sizeof address->four : sizeof address->six;
}

static int listen_on(const char *host, long port) {
    int on = 1;
    union address address = address_of(host, port);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, &address.any, length_of(&address)) < 0 || listen(fd, MAX_CONNECTIONS) < 0) {
        die("listen");
    }
    snprintf(state, sizeof state, "listening");
    return fd;
}

static int connected(const union address *to, const union address *from) {
    int fd = socket(to->any.sa_family, SOCK_STREAM, 0);
    if (fd >= 0 && (!from || bind(fd, &from->any, length_of(from)) == 0) &&
        connect(fd, &to->any, length_of(to)) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

static void connect_to(const char *to, const char *from) {
    char host[64];
    const char *colon = strrchr(to, ':');
    int brackets = to[0] == '[';
    size_t length = colon ? (size_t) (colon - to) : 0;
    if (length < 3 || length >= sizeof host || (brackets && colon[-1] != ']')) {
        fprintf(stderr, "--to wants ADDR:PORT, not %s\n", to);
        exit(2);
    }
    snprintf(host, sizeof host, "%.*s", (int) length - 2 * brackets, to + brackets);
    union address address = address_of(host, atol(colon + 1)), own;
    if (from) {
        own = address_of(from, 0);
    }
    int64_t end = nanos(CLOCK_MONOTONIC) + CONNECT_NANOS;
    for (;;) {
        int fd = connected(&address, from ? &own : NULL);
        if (fd >= 0) {
            add_connection(fd);
            return;
        }
        if (nanos(CLOCK_MONOTONIC) > end) {
            die(to);
        }
        pause_nanos(50 * NANOS_PER_MILLI);
    }
}

static void accept_clients(int listener) {
    while (connection_count < MAX_CONNECTIONS) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            return;
        }
        add_connection(fd);
    }
}

/* Waits for data, but no longer than a millisecond: then the next records are due. */
static void wait_for_data(int listener) {
    struct pollfd waits[MAX_CONNECTIONS + 1];
    int count = 0;
    for (; count < connection_count; count++) {
        waits[count] = (struct pollfd) {.fd = connections[count].fd, .events = POLLIN};
    }
    if (listener >= 0) {
        waits[count++] = (struct pollfd) {.fd = listener, .events = POLLIN};
    }
    poll(waits, (nfds_t) count, 1);
}

static void serve_connections(uint64_t due) {
    for (int i = connection_count - 1; i >= 0; i--) {
        const char *end = receive(&connections[i]);
        if (!end) {
            end = send_until(&connections[i], connections[i].sent + due);
        }
        if (end) {
            drop_connection(i, end);
        }
    }
}

/* Records that have become due since the last call. What was due in a freeze is not sent afterwards at once. */
static uint64_t newly_due(double records_per_second) {
    static int64_t last;
    static double debt;
    int64_t now = nanos(CLOCK_MONOTONIC), elapsed = now - last;
    last = now;
    if (elapsed > 200 * NANOS_PER_MILLI) {
        elapsed = 0;
    }
    debt += seconds(elapsed) * records_per_second;
    uint64_t due = (uint64_t) debt;
    debt -= (double) due;
    return due;
}

/* Memory that has to be moved and cannot be compressed. */
static void fill(long megabytes) {
    size_t words = (size_t) megabytes * (1 << 20) / sizeof(uint64_t);
    uint64_t *memory = calloc(words + 1, sizeof *memory), random = 88172645463325252ULL;
    if (!memory) {
        die("memory");
    }
    for (size_t i = 0; i < words; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        ((volatile uint64_t *) memory)[i] = random;
    }
}

int main(int count, char **values) {
    struct arguments arguments = read_arguments(count, values, HELP);
    int server = flag(&arguments, "server"), client = flag(&arguments, "client");
    long port = number_argument(&arguments, "--port", 0);
    const char *bind_address = text_argument(&arguments, "--bind", "0.0.0.0");
    const char *to = text_argument(&arguments, "--to", NULL);
    const char *from = text_argument(&arguments, "--from", NULL);
    long wanted = number_argument(&arguments, "--count", 1);
    long rate = number_argument(&arguments, "--rate-kb", 256);
    fill(number_argument(&arguments, "--mb", 0));
    report_file = text_argument(&arguments, "--report", server ? "/tmp/stream-server.out" : "/tmp/stream-client.out");
    end_arguments(&arguments);
    if (server == client || (server && (port < 1 || port > 65535)) || (client && (!to || wanted < 1 || wanted > MAX_CONNECTIONS))) {
        usage(&arguments, 2);
    }
    role = server ? "server" : "client";

    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGHUP, SIG_IGN); /* a payload outlives the terminal it was started from */

    int listener = server ? listen_on(bind_address, port) : -1;
    for (long i = 0; client && i < wanted; i++) {
        connect_to(to, from);
    }
    report();
    while (!end_wanted && (server || connection_count > 0)) {
        wait_for_data(listener);
        if (server) {
            accept_clients(listener);
        }
        serve_connections(newly_due((double) rate * 1024 / RECORD_BYTES));
        if (report_wanted) {
            report_wanted = 0;
            report();
            longest_gap = gap_end = 0;
        }
    }
    report();
    return errors > 0 || (client && lost > 0);
}
