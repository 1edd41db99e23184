/*
 * The smallest payload: counts.
 *
 *   counter [--file FILE] [--interval-ms I]
 *
 * Every I ms (default 100) it replaces FILE by one JSON object, or prints it as a line if no FILE is given:
 *   {"count":5,"node":"n1","host":"n1","pid":9,"unixTime":..,"monotonic":..,"boottime":..}   times in seconds
 * SIGTERM ends it.
 */
#define _GNU_SOURCE
#include "payload.h"

static const char HELP[] = "usage: counter [--file FILE] [--interval-ms I]\n";

int main(int count, char **values) {
    struct arguments arguments = read_arguments(count, values, HELP);
    const char *file = text_argument(&arguments, "--file", NULL);
    long interval = number_argument(&arguments, "--interval-ms", 100);
    end_arguments(&arguments);
    for (uint64_t i = 1;; i++) {
        char text[512], node[NAME_SIZE], host[NAME_SIZE] = "";
        read_node(NODE_FILE, node);
        gethostname(host, sizeof host - 1);
        snprintf(text, sizeof text,
            "{\"count\":%lu,\"node\":\"%s\",\"host\":\"%s\",\"pid\":%d,\"unixTime\":%.6f,\"monotonic\":%.6f,"
            "\"boottime\":%.6f}\n",
            i, node, host, getpid(), seconds(nanos(CLOCK_REALTIME)), seconds(nanos(CLOCK_MONOTONIC)),
            seconds(nanos(CLOCK_BOOTTIME)));
        if (file) {
            publish(file, text);
        } else {
            fputs(text, stdout);
            fflush(stdout);
        }
        pause_nanos(interval * NANOS_PER_MILLI);
    }
}
