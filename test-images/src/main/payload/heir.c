/*
 * Mappings that a restore cannot simply exchange (without reserve, locked, sparse), and a child that has its parent's, changed
 * some pages of them and gave some back; of others it has none, and may not read all of them.
 *
 *   heir FILE
 *
 * SIGUSR2 to the parent: both look at every page, then {"seq":N,"wrong":W,"child":C} is in FILE: how many pages are not
 * as they should be. A first report, before any signal, says that all is made.
 */
#define _GNU_SOURCE
#include "payload.h"
#include <signal.h>
#include <sys/mman.h>

#define PAGE 4096
#define PAGES 512
#define SPARSE (64L << 30) /* without reserve; at its beginning, in its midst and at its end is a page */
#define SPARSE_SAYS 77
#define KINDS 5
#define INHERITED 2 /* of the first two the child has pages; locks are not inherited; the last two it has given back */
#define GIVEN_BACK 200 /* up to before twice as many */
#define CHANGED 30     /* and the nine that follow */
#define BY_CHILD 251

static unsigned char *areas[KINDS];
static const int flags[KINDS] = {0, MAP_NORESERVE, MAP_LOCKED, 0, MAP_NORESERVE};
static unsigned char wanted[KINDS][PAGES];
static unsigned char *sparse;
static volatile int *theirs; /* what the child found; -1: not yet */
static pid_t child;
static const char *file;

static unsigned char *in_sparse(int which) {
    return sparse + which * ((SPARSE - PAGE) / 2 / PAGE * PAGE);
}

static int wrong(void) {
    int bad = 0;
    for (int which = 0; which < 3; which++) {
        bad += *in_sparse(which) != SPARSE_SAYS;
    }
    for (int kind = 0; kind < KINDS; kind++) {
        for (int page = 0; areas[kind] && page < PAGES; page++) {
            int differs = 0;
            for (int byte = 0; byte < PAGE; byte++) {
                differs |= areas[kind][page * PAGE + byte] ^ wanted[kind][page];
            }
            bad += differs != 0;
        }
    }
    return bad;
}

static void report(void) {
    static int seq;
    char text[100];
    *theirs = -1;
    kill(child, SIGUSR2);
    while (*theirs < 0) {
        pause_nanos(NANOS_PER_MILLI);
    }
    snprintf(text, sizeof text, "{\"seq\":%d,\"wrong\":%d,\"child\":%d}", ++seq, wrong(), *theirs);
    publish(file, text);
}

static void inherit(void) {
    for (int kind = 0; kind < INHERITED; kind++) {
        madvise(areas[kind] + GIVEN_BACK * PAGE, GIVEN_BACK * PAGE, MADV_DONTNEED);
        memset(areas[kind] + CHANGED * PAGE, BY_CHILD, 10 * PAGE);
        memset(wanted[kind] + GIVEN_BACK, 0, GIVEN_BACK);
        memset(wanted[kind] + CHANGED, BY_CHILD, 10);
    }
    areas[INHERITED] = NULL;
    for (int kind = INHERITED + 1; kind < KINDS; kind++) {
        madvise(areas[kind], PAGES * PAGE, MADV_DONTNEED);
        memset(wanted[kind], 0, PAGES);
        mprotect(areas[kind], PAGES * PAGE, kind % 2 ? PROT_NONE : PROT_READ | PROT_WRITE);
    }
}

/* Looking makes pages of zeros: not before it has moved, and not in between. */
static int wrong_of_child(void) {
    int bad;
    for (int kind = INHERITED + 1; kind < KINDS; kind++) {
        mprotect(areas[kind], PAGES * PAGE, PROT_READ | PROT_WRITE);
    }
    bad = wrong();
    for (int kind = INHERITED + 1; kind < KINDS; kind++) {
        madvise(areas[kind], PAGES * PAGE, MADV_DONTNEED);
        mprotect(areas[kind], PAGES * PAGE, kind % 2 ? PROT_NONE : PROT_READ | PROT_WRITE);
    }
    return bad;
}

int main(int argc, char **argv) {
    sigset_t signals;
    int signal;
    if (argc != 2) {
        fputs("usage: heir FILE\n", stderr);
        return 2;
    }
    file = argv[1];
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR2);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    theirs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int kind = 0; kind < KINDS; kind++) {
        areas[kind] =
            mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags[kind], -1, 0);
        if (areas[kind] == MAP_FAILED) {
            die("mmap");
        }
        for (int page = 0; page < PAGES; page += 3) {
            wanted[kind][page] = page % 250 + 1;
            memset(areas[kind] + page * PAGE, wanted[kind][page], PAGE);
        }
    }
    sparse = mmap(NULL, SPARSE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sparse == MAP_FAILED) {
        die("mmap");
    }
    for (int which = 0; which < 3; which++) {
        memset(in_sparse(which), SPARSE_SAYS, PAGE);
    }
    child = fork();
    if (child == 0) {
        inherit();
    } else {
        report();
    }
    for (;;) {
        if (sigwait(&signals, &signal)) {
            continue;
        }
        if (child == 0) {
            *theirs = wrong_of_child();
        } else {
            report();
        }
    }
}
