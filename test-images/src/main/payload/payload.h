/*
 * What all payload programs share: clocks, the name of the node, arguments, and reports that are replaced at once.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NANOS_PER_SECOND 1000000000LL
#define NANOS_PER_MILLI 1000000LL

static inline int64_t nanos(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * NANOS_PER_SECOND + time.tv_nsec;
}

static inline double seconds(int64_t nanoseconds) { return (double) nanoseconds / NANOS_PER_SECOND; }
static inline double millis(int64_t nanoseconds) { return (double) nanoseconds / NANOS_PER_MILLI; }

static inline void pause_nanos(long nanoseconds) {
    struct timespec time = {nanoseconds / NANOS_PER_SECOND, nanoseconds % NANOS_PER_SECOND};
    nanosleep(&time, NULL);
}

/* Counts how often CLOCK_MONOTONIC and CLOCK_BOOTTIME went back; a migration may never make them. */
struct clock_watch {
    int64_t monotonic, boottime;
    uint64_t monotonic_steps_back, boottime_steps_back;
};

static inline void watch_clocks(struct clock_watch *watch) {
    int64_t monotonic = nanos(CLOCK_MONOTONIC);
    int64_t boottime = nanos(CLOCK_BOOTTIME);
    watch->monotonic_steps_back += monotonic < watch->monotonic;
    watch->boottime_steps_back += boottime < watch->boottime;
    watch->monotonic = monotonic;
    watch->boottime = boottime;
}

__attribute__((noreturn)) static inline void die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

/*
 * The node this process runs on now. Read afresh every time from a file that every node has with its own name in
 * it and that Apptainer binds into each instance of the lab: the host name would do only as long as the instance
 * has no UTS namespace of its own, and an instance's own /proc shows the boot_id of the machine, not of the node.
 */
#define NODE_FILE "/etc/migrator-node"
#define NAME_SIZE 65

static inline void read_node(const char *file, char name[NAME_SIZE]) {
    ssize_t length = -1;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        length = read(fd, name, NAME_SIZE - 1);
        close(fd);
    }
    if (length > 0) {
        name[length] = 0;
        name[strcspn(name, "\n")] = 0;
    } else {
        gethostname(name, NAME_SIZE - 1);
        name[NAME_SIZE - 1] = 0;
    }
}

/* Replaces the file at once, so that a reader sees the old or the new report and never a part. */
static inline void publish(const char *path, const char *text) {
    char temporary[4096];
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    int fd = open(temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    size_t length = strlen(text);
    if (fd < 0 || write(fd, text, length) != (ssize_t) length || close(fd) < 0 || rename(temporary, path) < 0) {
        fprintf(stderr, "cannot write %s: %s\n", path, strerror(errno));
    }
}

/* Arguments are pairs "--name value"; flags stand alone. Each is asked for by name; see end_arguments. */
struct arguments {
    int count;
    char **values;
    const char *help;
};

__attribute__((noreturn)) static inline void usage(const struct arguments *arguments, int code) {
    fputs(arguments->help, code ? stderr : stdout);
    exit(code);
}

static inline struct arguments read_arguments(int count, char **values, const char *help) {
    struct arguments arguments = {count, values, help};
    for (int i = 1; i < count; i++) {
        if (strcmp(values[i], "--help") == 0) {
            usage(&arguments, 0);
        }
    }
    return arguments;
}

static inline int flag(struct arguments *arguments, const char *name) {
    for (int i = 1; i < arguments->count; i++) {
        if (arguments->values[i] && strcmp(arguments->values[i], name) == 0) {
            arguments->values[i] = NULL;
            return 1;
        }
    }
    return 0;
}

static inline const char *text_argument(struct arguments *arguments, const char *name, const char *otherwise) {
    for (int i = 1; i + 1 < arguments->count; i++) {
        if (arguments->values[i] && strcmp(arguments->values[i], name) == 0 && arguments->values[i + 1]) {
            const char *value = arguments->values[i + 1];
            arguments->values[i] = arguments->values[i + 1] = NULL;
            return value;
        }
    }
    return otherwise;
}

static inline long number_argument(struct arguments *arguments, const char *name, long otherwise) {
    const char *text = text_argument(arguments, name, NULL);
    if (!text) {
        return otherwise;
    }
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == 0 || *end != 0 || value < 0) {
        fprintf(stderr, "%s wants a number, not %s\n", name, text);
        exit(2);
    }
    return value;
}

/* Whatever was not asked for is a mistake. */
static inline void end_arguments(const struct arguments *arguments) {
    for (int i = 1; i < arguments->count; i++) {
        if (arguments->values[i]) {
            fprintf(stderr, "unknown argument: %s\n", arguments->values[i]);
            usage(arguments, 2);
        }
    }
}

#endif
