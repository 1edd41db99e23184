/*
 * The witness that exactly one copy runs.
 *
 *   tally --file FILE [--node-file FILE] [--interval-ms I]
 *
 * Every I ms (default 5) one line "SEQ NODE" is appended to FILE in one write with O_APPEND. SEQ counts from 1 and is
 * kept in memory only. So in a file that all nodes share, one unbroken row of SEQ says: never lost, never two; a SEQ
 * that comes twice was written by two copies, and NODE says where each ran.
 *
 * NODE is read afresh for every line from the node file (default /etc/migrator-node), see payload.h for why neither
 * the host name nor boot_id is a true witness inside an instance. SIGTERM ends it.
 */
#define _GNU_SOURCE
#include "payload.h"

static const char HELP[] = "usage: tally --file FILE [--node-file FILE] [--interval-ms I]\n";

int main(int count, char **values) {
    struct arguments arguments = read_arguments(count, values, HELP);
    const char *file = text_argument(&arguments, "--file", NULL);
    const char *node_file = text_argument(&arguments, "--node-file", NODE_FILE);
    long interval = number_argument(&arguments, "--interval-ms", 5);
    end_arguments(&arguments);
    if (!file) {
        usage(&arguments, 2);
    }
    int fd = open(file, O_CREAT | O_WRONLY | O_APPEND, 0644);
    if (fd < 0) {
        die(file);
    }
    for (uint64_t sequence = 1;; sequence++) {
        char line[128], node[NAME_SIZE];
        read_node(node_file, node);
        int length = snprintf(line, sizeof line, "%lu %s\n", sequence, node);
        if (write(fd, line, (size_t) length) != length) {
            die(file);
        }
        pause_nanos(interval * NANOS_PER_MILLI);
    }
}
