/*
 * A parent, its children and a child of the first one, that share memory since they were forked: a mapping, and a heap
 * that the children let grow. Each goes on writing a few pages of its own.
 *
 *   brood --mb N --children K --report FILE
 *
 * SIGUSR2 to the parent: all look at every page, then {"seq":N,"bad":B} is in FILE: how many pages are not as the one
 * who looked had them. A first report, before any signal, says that all is made.
 */
#define _GNU_SOURCE
#include "payload.h"
#include <signal.h>
#include <sys/mman.h>

#define PAGE 4096
#define WORDS (PAGE / 8)
#define HOT_PAGES 100 /* of each, only these are written */
#define GROWTH_PAGES 64
#define MOST 64

static struct family {
    volatile int bad[MOST]; /* of each process; -1: not yet */
    volatile pid_t pids[MOST];
} *family;

static uint64_t *mapped, *heap;
static uint32_t *written; /* by whom and for the how many-th time; first of the mapping, then of the heap */
static long pages, grown;
static uint32_t who, times;

static uint64_t *page(long number) { return number < pages ? mapped + number * WORDS : heap + (number - pages) * WORDS; }

static uint64_t word(long number, int at) { return ((uint64_t) written[number] << 32 | (uint32_t) number) * 2654435761u + at; }

static void fill(long number) {
    for (int at = 0; at < WORDS; at++) {
        page(number)[at] = word(number, at);
    }
}

static int bad_pages(void) {
    int bad = 0;
    for (long number = 0; number < 2 * pages + grown; number++) {
        int differs = 0;
        for (int at = 0; at < WORDS; at++) {
            differs |= page(number)[at] != word(number, at);
        }
        bad += differs;
    }
    return bad;
}

static void write_one(void) {
    long number = (rand() & 1 ? pages : 0) + rand() % HOT_PAGES * (pages / HOT_PAGES);
    written[number] = who << 24 | ++times;
    fill(number);
}

static void grow(void) {
    if (sbrk(GROWTH_PAGES * PAGE) == (void *) -1) {
        die("sbrk");
    }
    for (grown = 0; grown < GROWTH_PAGES; grown++) {
        fill(2 * pages + grown);
    }
}

static void bear(uint32_t number) {
    pid_t pid = fork();
    if (pid < 0) {
        die("fork");
    }
    if (pid == 0) {
        who = number;
        srand(number);
        grow();
        family->pids[number] = getpid();
    } else {
        while (!family->pids[number]) {
            pause_nanos(NANOS_PER_MILLI);
        }
    }
}

static void report(const char *file, uint32_t all) {
    static int seq;
    char text[100];
    int bad = 0;
    for (uint32_t each = 0; each < all; each++) {
        family->bad[each] = -1;
    }
    for (uint32_t each = 1; each < all; each++) {
        kill(family->pids[each], SIGUSR2);
    }
    family->bad[0] = bad_pages();
    for (uint32_t each = 0; each < all; each++) {
        while (family->bad[each] < 0) {
            pause_nanos(NANOS_PER_MILLI);
        }
        bad += family->bad[each];
    }
    snprintf(text, sizeof text, "{\"seq\":%d,\"bad\":%d}", ++seq, bad);
    publish(file, text);
}

int main(int argc, char **argv) {
    struct arguments arguments =
        read_arguments(argc, argv, "usage: brood --mb N --children K --report FILE\n");
    long megabytes = number_argument(&arguments, "--mb", 64);
    uint32_t children = (uint32_t) number_argument(&arguments, "--children", 3);
    const char *file = text_argument(&arguments, "--report", NULL);
    struct timespec between = {0, 5 * NANOS_PER_MILLI};
    sigset_t signals;
    end_arguments(&arguments);
    if (!file || !children || children > MOST - 2 || megabytes < 1) {
        usage(&arguments, 2);
    }
    pages = megabytes * 128; /* half of it each */
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR2);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    family = mmap(NULL, sizeof *family, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    mapped = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    written = mmap(NULL, (2 * pages + GROWTH_PAGES) * sizeof *written, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sbrk(PAGE - (intptr_t) sbrk(0) % PAGE);
    heap = sbrk(pages * PAGE);
    if (family == MAP_FAILED || mapped == MAP_FAILED || written == MAP_FAILED || heap == (void *) -1) {
        die("memory");
    }
    for (long number = 0; number < 2 * pages; number++) {
        fill(number);
    }
    for (uint32_t number = 1; who == 0 && number <= children; number++) {
        bear(number);
        if (who == 1) {
            bear(children + 1);
        }
    }
    if (who == 0) {
        while (!family->pids[children + 1]) {
            pause_nanos(NANOS_PER_MILLI);
        }
        report(file, children + 2);
    }
    for (;;) {
        int signal = sigtimedwait(&signals, NULL, &between);
        if (signal < 0) {
            write_one();
        } else if (who == 0) {
            report(file, children + 2);
        } else {
            family->bad[who] = bad_pages();
        }
    }
}
