/*
 * Memory whose every page can be checked, written to at a given rate, with a clock that measures the payload's own
 * standstill. The payload of most tests and benchmarks.
 *
 *   pattern --mb N [--rate MB/s] [--working-set MB] [--threads T] [--processes P] [--report FILE] [--thp]
 *
 * N MB of private anonymous memory, in all P processes together. The contents of a page are a function of (page,
 * version) and cannot be compressed. T writer threads per process give random 4 KB pages of the working set (its
 * first MB, default all) a new version, --rate MB/s in total (default 0). A ticker thread per process ticks every
 * 0.2 ms and keeps the longest gap between two ticks by CLOCK_REALTIME: the gap the payload itself saw.
 *
 *   SIGUSR1   write a report, then begin the gap statistics anew
 *   SIGUSR2   check all pages of all processes, write a report
 *   SIGTERM   end
 *
 * A report is also written when the memory is filled. FILE (default /tmp/pattern.out) is one JSON object:
 *   seq             1, 2, ...: wait for the next one after a signal
 *   node, host      where it runs now (see payload.h), and its host name
 *   pages, bad, firstBad   page numbers over all processes; bad counts wrong pages, firstBad is -1 if there is none
 *   verified        whether this report checked every page and found all right
 *   writes          pages written so far
 *   ticks, maxGapMillis, gapEndedAt   since the statistics began; the longest of all processes; epoch seconds
 *   gaps            the first process's gaps over 8 ms: [milliseconds, end], at most 256
 *   clockStepsBack  how often CLOCK_MONOTONIC or CLOCK_BOOTTIME went back
 */
#define _GNU_SOURCE
#include "payload.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define PAGE 4096UL
#define WORDS (PAGE / sizeof(uint64_t))
#define PAGES_PER_MB 256UL
#define MAX_GAPS 256
#define MAX_PROCESSES 256
#define TICK_NANOS 200000L
#define GAP_NANOS (8 * NANOS_PER_MILLI)

static const char HELP[] =
    "usage: pattern --mb N [--rate MB/s] [--working-set MB] [--threads T] [--processes P] [--report FILE] [--thp]\n"
    "SIGUSR1: report, then reset the gap statistics; SIGUSR2: verify all pages and report; SIGTERM: end\n";

struct gap {
    int64_t length, end;
};

struct gap_statistics {
    uint64_t ticks;
    struct gap longest;
    int count;
    struct gap gaps[MAX_GAPS];
};

/* What one process answers to the first one. */
struct state {
    struct gap_statistics gaps;
    uint64_t clock_steps_back, writes, bad;
    int64_t first_bad;
};

static uint64_t *memory;
static uint32_t *versions;
static uint64_t pages, working_pages, first_page;
static double pages_per_second;
static pthread_mutex_t pages_lock = PTHREAD_MUTEX_INITIALIZER, gaps_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int verifying;
static uint64_t writes;
static struct gap_statistics gaps;
static struct clock_watch clocks;

static uint64_t mix(uint64_t x) {
    x ^= x >> 31;
    x *= 0x9E3779B97F4A7C15ULL;
    return x ^ x >> 29;
}

static uint64_t seed(uint64_t page, uint32_t version) {
    return mix((first_page + page + 1) * 0xD1B54A32D192ED03ULL + version * 0x8CB92BA72F3D8DD7ULL);
}

static uint64_t next(uint64_t word) { return word * 6364136223846793005ULL + 1442695040888963407ULL; }

static void fill(uint64_t page, uint32_t version) {
    uint64_t *words = memory + page * WORDS;
    uint64_t word = seed(page, version);
    for (size_t i = 0; i < WORDS; i++, word = next(word)) {
        words[i] = word;
    }
}

static int right(uint64_t page, uint32_t version) {
    const uint64_t *words = memory + page * WORDS;
    uint64_t word = seed(page, version);
    for (size_t i = 0; i < WORDS; i++, word = next(word)) {
        if (words[i] != word) {
            return 0;
        }
    }
    return 1;
}

static void *tick(void *unused) {
    (void) unused;
    int64_t last = nanos(CLOCK_REALTIME);
    for (;;) {
        pause_nanos(TICK_NANOS);
        int64_t now = nanos(CLOCK_REALTIME);
        struct gap gap = {now - last, now};
        last = now;
        pthread_mutex_lock(&gaps_lock);
        watch_clocks(&clocks);
        gaps.ticks++;
        if (gap.length > gaps.longest.length) {
            gaps.longest = gap;
        }
        if (gap.length > GAP_NANOS && gaps.count < MAX_GAPS) {
            gaps.gaps[gaps.count++] = gap;
        }
        pthread_mutex_unlock(&gaps_lock);
    }
    return NULL;
}

static void write_page(uint64_t page) {
    pthread_mutex_lock(&pages_lock);
    fill(page, ++versions[page]);
    writes++;
    pthread_mutex_unlock(&pages_lock);
}

/* Keeps the rate over stretches of 100 ms; what a freeze or a verification cost is not caught up. */
static void *keep_writing(void *number) {
    uint64_t random = 88172645463325252ULL * (2 * (uintptr_t) number + 1);
    int64_t begin = nanos(CLOCK_MONOTONIC);
    uint64_t done = 0;
    for (;;) {
        pause_nanos(500000);
        int64_t elapsed = nanos(CLOCK_MONOTONIC) - begin;
        if (elapsed > 200 * NANOS_PER_MILLI) {
            begin += elapsed;
            done = 0;
            continue;
        }
        uint64_t due = (uint64_t) (seconds(elapsed) * pages_per_second);
        for (; done < due && !verifying; done++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            write_page(random % working_pages);
        }
        if (elapsed > 100 * NANOS_PER_MILLI) {
            begin += elapsed;
            done = 0;
        }
    }
    return NULL;
}

static void verify(struct state *state) {
    verifying = 1;
    pthread_mutex_lock(&pages_lock);
    for (uint64_t page = 0; page < pages; page++) {
        if (!right(page, versions[page])) {
            if (state->bad++ == 0) {
                state->first_bad = (int64_t) (first_page + page);
            }
        }
    }
    pthread_mutex_unlock(&pages_lock);
    verifying = 0;
}

/* The gaps are read first: they shall not show what the verification costs. */
static void look(struct state *state, int signal) {
    pthread_mutex_lock(&gaps_lock);
    state->gaps = gaps;
    state->clock_steps_back = clocks.monotonic_steps_back + clocks.boottime_steps_back;
    if (signal == SIGUSR1) {
        memset(&gaps, 0, sizeof gaps);
    }
    pthread_mutex_unlock(&gaps_lock);
    state->bad = 0;
    state->first_bad = -1;
    if (signal == SIGUSR2) {
        verify(state);
    }
    pthread_mutex_lock(&pages_lock);
    state->writes = writes;
    pthread_mutex_unlock(&pages_lock);
}

static void *map(size_t length) {
    void *address = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) {
        die("mmap");
    }
    return address;
}

static void start(int threads, int huge_pages) {
    pthread_t thread;
    memory = map(pages * PAGE);
    versions = map(pages * sizeof *versions);
    if (huge_pages && madvise(memory, pages * PAGE, MADV_HUGEPAGE) < 0) {
        die("madvise");
    }
    for (uint64_t page = 0; page < pages; page++) {
        fill(page, 0);
    }
    if (pthread_create(&thread, NULL, tick, NULL) != 0) {
        die("pthread_create");
    }
    for (uintptr_t i = 0; pages_per_second > 0 && i < (uintptr_t) threads; i++) {
        if (pthread_create(&thread, NULL, keep_writing, (void *) i) != 0) {
            die("pthread_create");
        }
    }
}

/* A process other than the first: answers each signal number it is sent, ends with the first one. */
static void serve(int requests, int answers) {
    struct state state;
    int signal = SIGUSR1;
    do {
        look(&state, signal);
        if (write(answers, &state, sizeof state) != sizeof state) {
            _exit(0);
        }
    } while (read(requests, &signal, sizeof signal) == sizeof signal);
    _exit(0);
}

static int request_pipes[MAX_PROCESSES], answer_pipes[MAX_PROCESSES];

static void start_child(int index, int threads, int huge_pages) {
    int requests[2], answers[2];
    if (pipe(requests) < 0 || pipe(answers) < 0) {
        die("pipe");
    }
    pid_t child = fork();
    if (child < 0) {
        die("fork");
    }
    if (child == 0) {
        for (int i = 1; i < index; i++) {
            close(request_pipes[i]);
            close(answer_pipes[i]);
        }
        close(requests[1]);
        close(answers[0]);
        first_page = (uint64_t) index * pages;
        start(threads, huge_pages);
        serve(requests[0], answers[1]);
    }
    close(requests[0]);
    close(answers[1]);
    request_pipes[index] = requests[1];
    answer_pipes[index] = answers[0];
}

static void add(struct state *sum, const struct state *other) {
    if (other->gaps.longest.length > sum->gaps.longest.length) {
        sum->gaps.longest = other->gaps.longest;
    }
    if (sum->bad == 0) {
        sum->first_bad = other->first_bad;
    }
    sum->bad += other->bad;
    sum->writes += other->writes;
    sum->clock_steps_back += other->clock_steps_back;
}

static void answer(int index, struct state *state) {
    char *into = (char *) state;
    for (size_t have = 0; have < sizeof *state;) {
        ssize_t length = read(answer_pipes[index], into + have, sizeof *state - have);
        if (length <= 0) {
            fprintf(stderr, "process %d of pattern is gone\n", index);
            exit(1);
        }
        have += (size_t) length;
    }
}

static void report(const char *file, const struct state *state, int processes, int verified) {
    static int sequence;
    static char text[MAX_GAPS * 40 + 2048];
    char node[NAME_SIZE], host[NAME_SIZE] = "";
    read_node(NODE_FILE, node);
    gethostname(host, sizeof host - 1);
    uint64_t all_pages = pages * (uint64_t) processes;
    int length = snprintf(text, sizeof text,
        "{\"seq\":%d,\"node\":\"%s\",\"host\":\"%s\",\"pid\":%d,\"processes\":%d,\"mb\":%lu,\"pages\":%lu,\"bad\":%lu,"
        "\"firstBad\":%ld,\"verified\":%s,\"writes\":%lu,\"ticks\":%lu,\"maxGapMillis\":%.3f,\"gapEndedAt\":%.6f,"
        "\"clockStepsBack\":%lu,\"unixTime\":%.6f,\"gaps\":[",
        ++sequence, node, host, getpid(), processes, all_pages / PAGES_PER_MB, all_pages, state->bad,
        state->first_bad, verified && state->bad == 0 ? "true" : "false", state->writes, state->gaps.ticks,
        millis(state->gaps.longest.length), seconds(state->gaps.longest.end), state->clock_steps_back,
        seconds(nanos(CLOCK_REALTIME)));
    for (int i = 0; i < state->gaps.count; i++) {
        const struct gap *gap = &state->gaps.gaps[i];
        length += snprintf(text + length, sizeof text - (size_t) length, "%s[%.3f,%.6f]", i ? "," : "",
            millis(gap->length), seconds(gap->end));
    }
    snprintf(text + length, sizeof text - (size_t) length, "]}\n");
    publish(file, text);
}

int main(int count, char **values) {
    struct arguments arguments = read_arguments(count, values, HELP);
    uint64_t megabytes = (uint64_t) number_argument(&arguments, "--mb", 0);
    long rate = number_argument(&arguments, "--rate", 0);
    uint64_t working_set = (uint64_t) number_argument(&arguments, "--working-set", (long) megabytes);
    int threads = (int) number_argument(&arguments, "--threads", 1);
    int processes = (int) number_argument(&arguments, "--processes", 1);
    const char *file = text_argument(&arguments, "--report", "/tmp/pattern.out");
    int huge_pages = flag(&arguments, "--thp");
    end_arguments(&arguments);
    if (megabytes == 0 || processes < 1 || processes > MAX_PROCESSES || threads < 1 || working_set > megabytes) {
        usage(&arguments, 2);
    }
    pages = megabytes * PAGES_PER_MB / (uint64_t) processes;
    working_pages = working_set * PAGES_PER_MB / (uint64_t) processes;
    pages_per_second = (double) rate * PAGES_PER_MB / processes / threads;
    if (pages == 0 || working_pages == 0) {
        usage(&arguments, 2);
    }

    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigaddset(&signals, SIGHUP); /* a payload outlives the terminal it was started from */
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    for (int i = 1; i < processes; i++) {
        start_child(i, threads, huge_pages);
    }
    start(threads, huge_pages);

    struct state sum, other;
    int signal = SIGUSR1;
    for (int first = 1;; first = 0) {
        for (int i = 1; i < processes && !first; i++) {
            if (write(request_pipes[i], &signal, sizeof signal) != sizeof signal) {
                die("a process of pattern is gone");
            }
        }
        look(&sum, signal);
        for (int i = 1; i < processes; i++) {
            answer(i, &other);
            add(&sum, &other);
        }
        report(file, &sum, processes, signal == SIGUSR2);
        do {
            sigwait(&signals, &signal);
        } while (signal == SIGHUP);
    }
}
