/*
 * Mappings that a restore cannot simply exchange (without reserve, locked), and a child that has its parent's, changed
 * some pages of them and gave some back.
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
#define KINDS 3
#define GIVEN_BACK 200 /* up to before twice as many */
#define CHANGED 30     /* and the nine that follow */
#define BY_CHILD 251

static unsigned char *areas[KINDS];
static const int flags[KINDS] = {0, MAP_NORESERVE, MAP_LOCKED};
static unsigned char wanted[PAGES];
static volatile int *theirs; /* what the child found; -1: not yet */
static pid_t child;
static const char *file;

static int wrong(void) {
    int bad = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        for (int page = 0; areas[kind] && page < PAGES; page++) {
            int differs = 0;
            for (int byte = 0; byte < PAGE; byte++) {
                differs |= areas[kind][page * PAGE + byte] ^ wanted[page];
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
    for (int kind = 0; kind < KINDS - 1; kind++) {
        madvise(areas[kind] + GIVEN_BACK * PAGE, GIVEN_BACK * PAGE, MADV_DONTNEED);
        memset(areas[kind] + CHANGED * PAGE, BY_CHILD, 10 * PAGE);
    }
    areas[KINDS - 1] = NULL; /* locks are not inherited */
    memset(wanted + GIVEN_BACK, 0, GIVEN_BACK);
    memset(wanted + CHANGED, BY_CHILD, 10);
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
            wanted[page] = page % 250 + 1;
            memset(areas[kind] + page * PAGE, wanted[page], PAGE);
        }
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
            *theirs = wrong();
        } else {
            report();
        }
    }
}
