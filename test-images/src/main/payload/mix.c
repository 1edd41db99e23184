/*
 * Memory of every kind, changed in every way, in several processes: which, a seed decides. Every page can be checked.
 *
 *   mix --seed N [--mb N] [--report FILE] [--hugetlb] [--guards]
 *
 * One to four processes, each with one to four writers, a large mapping (of --mb, default 24, in all) and a dozen small
 * ones: plain, with huge pages, locked, without reserve, not for children (MADV_DONTFORK) or empty in them
 * (MADV_WIPEONFORK), a private mapping of a memfd, blocks of malloc, and with --hugetlb those of hugetlbfs. They are
 * written, given back (MADV_DONTNEED), grown, shrunk and moved (mremap), cleared, made read-only and writable again, unmapped and
 * mapped anew, and with --guards guarded (MADV_GUARD_INSTALL, where the kernel has it). All processes share a mapping and a memfd, to which they also write by pwrite(2). Children come and go,
 * which change some of what they inherit, wait, check all of it and end.
 *
 *   SIGUSR2   check all pages of all processes, write a report
 *
 * A report is also written when all is made: {"seq", "processes", "pages": checked, "bad": wrong pages, "heirs": children
 * that ended, "badHeirs": those that found something wrong, "first": what was wrong first}.
 */
#define _GNU_SOURCE
#include "payload.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define PAGE 4096UL
#define WORDS (PAGE / sizeof(uint64_t))
#define HUGE_PAGES 512UL
#define REGIONS 13
#define SMALL_PAGES 256UL
#define MOST_PROCESSES 4
#define SHARED_PAGES 256UL
#define MOST_HEIRS 2
#define WORD_SIZE 200
#define GUARDED UINT32_MAX /* in the place of a version */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

static const char HELP[] = "usage: mix --seed N [--mb N] [--report FILE] [--hugetlb] [--guards]\n"
                           "SIGUSR2: verify all pages and report; SIGTERM: end\n";

enum kind { PLAIN, THP, LOCKED, NORESERVE, DONTFORK, WIPEONFORK, OF_FILE, HEAP, HUGETLB, KINDS };

static const char *const NAMES[KINDS] = {
    "plain", "thp", "locked", "noreserve", "dontfork", "wipeonfork", "private memfd", "heap", "hugetlb"};

/* A page holds what follows from the salt, its number and its version; of version 0 it is empty, and a guarded one cannot be read. */
struct region {
    enum kind kind;
    unsigned char *at;
    uint64_t pages, salt;
    uint32_t *versions;
    int read_only;
};

struct answer {
    int asked;
    uint64_t pages, bad, heirs, bad_heirs;
    char first[WORD_SIZE];
};

/* What all processes share beside the pages. */
struct control {
    pthread_mutex_t lock;
    int asked;
    struct answer answers[MOST_PROCESSES];
    uint32_t versions[2][SHARED_PAGES];
};

static struct control *control;
static unsigned char *shared[2];
static int memfd;
static struct region regions[REGIONS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int index_of_this, with_hugetlb, with_guards;
static uint64_t heirs, bad_heirs;

static uint64_t mix(uint64_t x) {
    x ^= x >> 31;
    x *= 0x9E3779B97F4A7C15ULL;
    return x ^ x >> 29;
}

static uint64_t draw(uint64_t *state, uint64_t below) {
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return mix(*state) % below;
}

static uint64_t first_word(uint64_t salt, uint64_t page, uint32_t version) {
    return mix(mix(salt + page) ^ version * 0xD1B54A32D192ED03ULL);
}

static void fill(unsigned char *at, uint64_t salt, uint64_t page, uint32_t version) {
    uint64_t word = first_word(salt, page, version);
    uint64_t words[WORDS];
    for (size_t i = 0; i < WORDS; i++, word = word * 6364136223846793005ULL + 1) {
        words[i] = word;
    }
    memcpy(at, words, PAGE);
}

static int is_right(const unsigned char *at, uint64_t salt, uint64_t page, uint32_t version) {
    uint64_t word = version ? first_word(salt, page, version) : 0;
    const uint64_t *words = (const uint64_t *) at;
    for (size_t i = 0; i < WORDS; i++, word = version ? word * 6364136223846793005ULL + 1 : 0) {
        if (words[i] != word) {
            return 0;
        }
    }
    return 1;
}

/* ---- private memory, under the lock of its process ---- */

static void *map(size_t length, int flags, int fd) {
    return mmap(NULL, length, PROT_READ | PROT_WRITE, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
}

static void *must(void *address) {
    if (address == MAP_FAILED || !address) {
        die("memory");
    }
    return address;
}

static unsigned char *make_pages(enum kind kind, uint64_t pages) {
    size_t length = pages * PAGE;
    void *at;
    int fd;
    switch (kind) {
    case LOCKED:
        return map(length, MAP_PRIVATE | MAP_LOCKED, -1);
    case NORESERVE:
        return map(length, MAP_PRIVATE | MAP_NORESERVE, -1);
    case HUGETLB:
        return map(length, MAP_PRIVATE | MAP_HUGETLB, -1);
    case HEAP:
        at = must(aligned_alloc(PAGE, length));
        return memset(at, 0, length);
    case OF_FILE:
        fd = memfd_create("mix", MFD_CLOEXEC);
        if (fd < 0 || ftruncate(fd, (off_t) length)) {
            die("memfd");
        }
        at = map(length, MAP_PRIVATE, fd);
        close(fd);
        return at;
    default:
        at = map(length, MAP_PRIVATE, -1);
        if (at != MAP_FAILED && kind != PLAIN) {
            madvise(at, length, kind == THP ? MADV_HUGEPAGE : kind == DONTFORK ? MADV_DONTFORK : MADV_WIPEONFORK);
        }
        return at;
    }
}

static void make(struct region *region, enum kind kind, uint64_t pages, uint64_t *random) {
    if (kind == HUGETLB) {
        pages = HUGE_PAGES;
    }
    region->at = make_pages(kind, pages);
    if (region->at == MAP_FAILED) { /* no right to lock so much, no huge pages */
        kind = PLAIN;
        region->at = must(make_pages(kind, pages));
    }
    region->kind = kind;
    region->pages = pages;
    region->salt = draw(random, UINT64_MAX);
    region->versions = must(calloc(pages, sizeof *region->versions));
    region->read_only = 0;
}

static void unmake(struct region *region) {
    if (region->kind == HEAP) {
        free(region->at);
    } else {
        munmap(region->at, region->pages * PAGE);
    }
    free(region->versions);
    region->pages = 0;
}

static void make_small(struct region *region, uint64_t *random) {
    make(region, (enum kind) draw(random, with_hugetlb ? KINDS : HUGETLB), 1 + draw(random, SMALL_PAGES), random);
}

static void write_page(struct region *region, uint64_t page) {
    if (page < region->pages && !region->read_only && region->versions[page] != GUARDED) {
        fill(region->at + page * PAGE, region->salt, page, ++region->versions[page]);
    }
}

static void give_back(struct region *region, uint64_t *random) {
    uint64_t from = draw(random, region->pages), count = 1 + draw(random, region->pages - from);
    if (region->kind == HEAP || region->kind == LOCKED || region->kind == HUGETLB) {
        return;
    }
    madvise(region->at + from * PAGE, count * PAGE, MADV_GUARD_REMOVE);
    if (!region->read_only && draw(random, 2)) {
        memset(region->at + from * PAGE, 0, count * PAGE);
    } else if (madvise(region->at + from * PAGE, count * PAGE, MADV_DONTNEED)) {
        die("madvise");
    }
    memset(region->versions + from, 0, count * sizeof *region->versions);
}

static void guard(struct region *region, uint64_t *random) {
    uint64_t from = draw(random, region->pages), left = region->pages - from, count = 1 + draw(random, left < 8 ? left : 8);
    if (with_guards && region->kind != HEAP && region->kind != LOCKED && region->kind != HUGETLB && region->kind != OF_FILE &&
        madvise(region->at + from * PAGE, count * PAGE, MADV_GUARD_INSTALL) == 0) {
        for (uint64_t page = from; page < from + count; page++) {
            region->versions[page] = GUARDED;
        }
    }
}

static void resize(struct region *region, uint64_t pages) {
    void *at;
    if (region->kind == HEAP || region->kind == HUGETLB || region->kind == OF_FILE || region->kind == LOCKED ||
        region->read_only) {
        return;
    }
    at = mremap(region->at, region->pages * PAGE, pages * PAGE, MREMAP_MAYMOVE);
    region->at = must(at);
    region->versions = must(realloc(region->versions, pages * sizeof *region->versions));
    for (uint64_t page = region->pages; page < pages; page++) {
        region->versions[page] = 0;
    }
    region->pages = pages;
}

/* To where something else is, as a restorer or a linker does it. */
static void move(struct region *region) {
    if (region->kind == PLAIN || region->kind == NORESERVE) {
        void *to = must(map(region->pages * PAGE, MAP_PRIVATE, -1));
        memset(to, 1, PAGE);
        region->at = must(mremap(
            region->at, region->pages * PAGE, region->pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
    }
}

static void protect(struct region *region) {
    if (region->kind != HEAP && region->kind != HUGETLB) {
        region->read_only ^= 1;
        if (mprotect(region->at, region->pages * PAGE, region->read_only ? PROT_READ : PROT_READ | PROT_WRITE)) {
            die("mprotect");
        }
    }
}

/* What is guarded would end the process. */
static int is_readable(const unsigned char *at) {
    char byte;
    struct iovec to = {&byte, 1}, from = {(void *) at, 1};
    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1;
}

static int is_as_it_should_be(const struct region *region, uint64_t page) {
    const unsigned char *at = region->at + page * PAGE;
    return region->versions[page] == GUARDED
        ? !is_readable(at)
        : is_readable(at) && is_right(at, region->salt, page, region->versions[page]);
}

static void check(struct answer *answer) {
    for (int i = 0; i < REGIONS; i++) {
        const struct region *region = &regions[i];
        for (uint64_t page = 0; page < region->pages; page++) {
            answer->pages++;
            if (is_as_it_should_be(region, page)) {
                continue;
            }
            if (answer->bad++ == 0) {
                snprintf(answer->first, sizeof answer->first, "%s, process %d, page %lu of %lu at %p, version %u",
                    NAMES[region->kind], index_of_this, page, region->pages, (void *) region->at,
                    region->versions[page]);
            }
        }
    }
}

/* ---- children ---- */

static void inherit(uint64_t random) {
    struct answer answer = {0};
    for (int i = 0; i < REGIONS; i++) {
        if (regions[i].kind == DONTFORK) {
            regions[i].pages = 0;
        } else if (regions[i].kind == WIPEONFORK) {
            memset(regions[i].versions, 0, regions[i].pages * sizeof *regions[i].versions);
        }
    }
    for (int i = 0; i < 40; i++) {
        struct region *region = &regions[draw(&random, REGIONS)];
        if (region->pages) {
            write_page(region, draw(&random, region->pages));
        }
    }
    pause_nanos((long) draw(&random, 400 * NANOS_PER_MILLI));
    check(&answer);
    if (answer.bad) {
        fprintf(stderr, "mix: a child: %lu wrong: %s\n", answer.bad, answer.first);
    }
    _exit(answer.bad > 0);
}

static void reap(int *living) {
    int status;
    while (waitpid(-1, &status, WNOHANG) > 0) {
        (*living)--;
        heirs++;
        bad_heirs += status != 0;
    }
}

static void *change(void *seed) {
    uint64_t random = (uintptr_t) seed;
    int living = 0;
    for (;;) {
        pause_nanos(NANOS_PER_MILLI + (long) draw(&random, 3 * NANOS_PER_MILLI));
        pthread_mutex_lock(&lock);
        reap(&living);
        struct region *region = &regions[1 + draw(&random, REGIONS - 1)];
        switch (draw(&random, 9)) {
        case 0:
            unmake(region);
            make_small(region, &random);
            break;
        case 1:
            resize(region, 1 + draw(&random, SMALL_PAGES));
            break;
        case 2:
            move(region);
            break;
        case 3:
            protect(region);
            break;
        case 4:
            give_back(&regions[draw(&random, REGIONS)], &random);
            break;
        case 5:
            guard(&regions[draw(&random, REGIONS)], &random);
            break;
        case 6:
            if (living < MOST_HEIRS) {
                uint64_t own = draw(&random, UINT64_MAX);
                pid_t child = fork();
                if (child == 0) {
                    inherit(own);
                }
                living += child > 0;
            }
            break;
        default:
            break;
        }
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

/* ---- writers, and what all processes share ---- */

static void write_shared(uint64_t *random) {
    int which = (int) draw(random, 2);
    uint64_t page = draw(random, SHARED_PAGES);
    unsigned char bytes[PAGE];
    pthread_mutex_lock(&control->lock);
    uint32_t version = ++control->versions[which][page];
    if (which && draw(random, 2)) {
        fill(bytes, (uint64_t) which, page, version);
        if (pwrite(memfd, bytes, PAGE, (off_t) (page * PAGE)) != (ssize_t) PAGE) {
            die("pwrite");
        }
    } else {
        fill(shared[which] + page * PAGE, (uint64_t) which, page, version);
    }
    pthread_mutex_unlock(&control->lock);
}

static void *keep_writing(void *seed) {
    uint64_t random = (uintptr_t) seed, burst = 1 + draw(&random, 12);
    for (;;) {
        pause_nanos(400000);
        pthread_mutex_lock(&lock);
        for (uint64_t i = 0; i < burst; i++) {
            struct region *region = &regions[draw(&random, 2) ? 0 : draw(&random, REGIONS)];
            write_page(region, draw(&random, region->pages));
        }
        pthread_mutex_unlock(&lock);
        write_shared(&random);
    }
    return NULL;
}

static void check_shared(struct answer *answer) {
    pthread_mutex_lock(&control->lock);
    for (int which = 0; which < 2; which++) {
        for (uint64_t page = 0; page < SHARED_PAGES; page++) {
            answer->pages++;
            if (!is_right(shared[which] + page * PAGE, (uint64_t) which, page, control->versions[which][page]) &&
                answer->bad++ == 0) {
                snprintf(answer->first, sizeof answer->first, "%s, process %d, page %lu, version %u",
                    which ? "memfd" : "shared", index_of_this, page, control->versions[which][page]);
            }
        }
    }
    pthread_mutex_unlock(&control->lock);
}

static void *answer(void *unused) {
    struct answer *mine = &control->answers[index_of_this];
    (void) unused;
    for (;;) {
        int asked = __atomic_load_n(&control->asked, __ATOMIC_SEQ_CST);
        if (asked != mine->asked) {
            struct answer now = {.asked = mine->asked};
            pthread_mutex_lock(&lock);
            check(&now);
            now.heirs = heirs;
            now.bad_heirs = bad_heirs;
            pthread_mutex_unlock(&lock);
            check_shared(&now);
            *mine = now;
            __atomic_store_n(&mine->asked, asked, __ATOMIC_SEQ_CST);
        }
        pause_nanos(NANOS_PER_MILLI);
    }
    return NULL;
}

static void start(void *(*work)(void *), uint64_t seed) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, (void *) (uintptr_t) seed)) {
        die("pthread_create");
    }
}

static void run(uint64_t seed, int index, uint64_t pages) {
    uint64_t random = mix(seed + (uint64_t) index * 7919);
    index_of_this = index;
    make(&regions[0], draw(&random, 2) ? PLAIN : THP, pages, &random);
    uint64_t holes = draw(&random, 2) ? 5 : UINT64_MAX; /* more than the kernel tells of at once */
    for (uint64_t page = 0; page < pages; page++) {
        if (page % holes != 3) {
            write_page(&regions[0], page);
        }
    }
    for (int i = 1; i < REGIONS; i++) {
        make_small(&regions[i], &random);
        for (uint64_t page = 0; page < regions[i].pages; page += 1 + draw(&random, 4)) {
            write_page(&regions[i], page);
        }
    }
    for (uint64_t writers = 1 + draw(&random, 4); writers > 0; writers--) {
        start(keep_writing, draw(&random, UINT64_MAX));
    }
    start(change, draw(&random, UINT64_MAX));
    start(answer, 0);
}

static void make_shared(void) {
    pthread_mutexattr_t attributes;
    control = must(map(sizeof *control, MAP_SHARED, -1));
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&control->lock, &attributes);
    memfd = memfd_create("shared", MFD_CLOEXEC);
    if (memfd < 0 || ftruncate(memfd, SHARED_PAGES * PAGE)) {
        die("memfd");
    }
    shared[0] = must(map(SHARED_PAGES * PAGE, MAP_SHARED, -1));
    shared[1] = must(map(SHARED_PAGES * PAGE, MAP_SHARED, memfd));
}

static void report(const char *file, int processes) {
    static int sequence;
    char text[1024];
    struct answer sum = {0};
    int asked = __atomic_add_fetch(&control->asked, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < processes; i++) {
        struct answer *each = &control->answers[i];
        while (__atomic_load_n(&each->asked, __ATOMIC_SEQ_CST) != asked) {
            pause_nanos(NANOS_PER_MILLI);
        }
        if (!sum.bad) {
            memcpy(sum.first, each->first, sizeof sum.first);
        }
        sum.pages += each->pages;
        sum.bad += each->bad;
        sum.heirs += each->heirs;
        sum.bad_heirs += each->bad_heirs;
    }
    snprintf(text, sizeof text,
        "{\"seq\":%d,\"processes\":%d,\"pages\":%lu,\"bad\":%lu,\"heirs\":%lu,\"badHeirs\":%lu,\"first\":\"%s\"}\n", ++sequence,
        processes, sum.pages, sum.bad, sum.heirs, sum.bad_heirs, sum.first);
    publish(file, text);
}

int main(int count, char **values) {
    struct arguments arguments = read_arguments(count, values, HELP);
    uint64_t seed = (uint64_t) number_argument(&arguments, "--seed", 0);
    uint64_t pages = (uint64_t) number_argument(&arguments, "--mb", 24) * 256;
    const char *file = text_argument(&arguments, "--report", "/tmp/mix.out");
    with_hugetlb = flag(&arguments, "--hugetlb");
    with_guards = flag(&arguments, "--guards");
    end_arguments(&arguments);
    if (seed == 0 || pages == 0) {
        usage(&arguments, 2);
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR2);
    sigaddset(&signals, SIGHUP); /* a payload outlives the terminal it was started from */
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    make_shared();
    uint64_t random = seed;
    int processes = 1 + (int) draw(&random, MOST_PROCESSES);
    for (int i = 1; i < processes; i++) {
        pid_t child = fork();
        if (child < 0) {
            die("fork");
        }
        if (child == 0) {
            run(seed, i, pages / (uint64_t) processes);
            for (;;) {
                pause();
            }
        }
    }
    run(seed, 0, pages / (uint64_t) processes);
    for (;;) {
        int signal = SIGUSR2;
        report(file, processes);
        do {
            sigwait(&signals, &signal);
        } while (signal == SIGHUP);
    }
}
