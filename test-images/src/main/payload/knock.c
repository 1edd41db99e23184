/*
 * Makes connections all the time, one after the other, and notes each that could not be made.
 *
 *   knock --to ADDR --port P [--report FILE]
 *
 * Each is closed as soon as it stands; after 5 ms the next is made.
 *
 *   SIGUSR1   write a report
 *   SIGTERM   write a last report and end
 *
 * FILE (default /tmp/knock.out) is one JSON object: seq, made, failed, errorTexts (the first four), longestMillis (that
 * one took to be made, since the last report).
 */
#define _GNU_SOURCE
#include "payload.h"
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>

#define PAUSE_NANOS (5 * NANOS_PER_MILLI)
#define TEXTS 4

static const char HELP[] = "usage: knock --to ADDR --port P [--report FILE]\n";

static unsigned long made, failed;
static int64_t longest;
static const char *texts[TEXTS];
static const char *report_file;
static volatile sig_atomic_t report_wanted, end_wanted;

static void on_signal(int signal) {
    if (signal == SIGUSR1) {
        report_wanted = 1;
    } else {
        end_wanted = 1;
    }
}

static void report(void) {
    static int sequence;
    char text[1024];
    int length = snprintf(text, sizeof text,
        "{\"seq\":%d,\"made\":%lu,\"failed\":%lu,\"longestMillis\":%.3f,\"errorTexts\":[", ++sequence, made, failed,
        millis(longest));
    for (unsigned long i = 0; i < failed && i < TEXTS; i++) {
        length += snprintf(text + length, sizeof text - (size_t) length, "%s\"%s\"", i ? "," : "", texts[i]);
    }
    snprintf(text + length, sizeof text - (size_t) length, "]}\n");
    publish(report_file, text);
    longest = 0;
}

static void knock(const struct sockaddr *to, socklen_t length) {
    int64_t begin = nanos(CLOCK_MONOTONIC);
    int fd = socket(to->sa_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, to, length) < 0) {
        if (errno != EINTR) {
            if (failed < TEXTS) {
                texts[failed] = strerror(errno);
            }
            failed++;
        }
    } else {
        made++;
        int64_t took = nanos(CLOCK_MONOTONIC) - begin;
        longest = took > longest ? took : longest;
    }
    close(fd);
}

int main(int count, char **values) {
    struct arguments arguments = read_arguments(count, values, HELP);
    const char *to = text_argument(&arguments, "--to", NULL);
    long port = number_argument(&arguments, "--port", 0);
    report_file = text_argument(&arguments, "--report", "/tmp/knock.out");
    end_arguments(&arguments);
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port)};
    int is_four = to && inet_pton(AF_INET, to, &four.sin_addr) == 1;
    if (!to || port < 1 || (!is_four && inet_pton(AF_INET6, to, &six.sin6_addr) != 1)) {
        usage(&arguments, 2);
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    report();
    while (!end_wanted) {
        knock(is_four ? (struct sockaddr *) &four : (struct sockaddr *) &six, is_four ? sizeof four : sizeof six);
        pause_nanos(PAUSE_NANOS);
        if (report_wanted) {
            report_wanted = 0;
            report();
        }
    }
    report();
    return failed > 0;
}
