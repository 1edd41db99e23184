/*
 * A job that keeps files of every kind open and writes to them all the time, and knows what has to be in each.
 *
 *   scribe --dir DIRECTORY --log FILE --shm NAME [--layer FILE] [--rate MB/s] [--sparse-mb N] [--still MB] [--report FILE]
 *
 * In DIRECTORY, its working directory: `out`, written one record after the other at that rate (default 50); `sparse`, of N MB
 * (default 2048), in which a page here and there is written; `book`, 64 pages that are written over and over, under an
 * OFD lock and now and then fdatasync(2), as a database does; `still`, of so many MB (default 0), written once. FILE gets a line in
 * append mode each ms, /dev/shm/NAME is a shared mapping of 1 MB, and --layer is one more file, written in place.
 *
 *   SIGUSR1   write a report
 *   SIGUSR2   read all of it back by new descriptors, compare, and write a report
 *   SIGTERM   end
 *
 * FILE of the report (default /tmp/scribe.out) is one JSON object: seq, node, pid, steps, maxGapMillis (the longest time between two
 * steps since the last report), and of the last check ok, and bad: what was wrong.
 */
#define _GNU_SOURCE
#include "payload.h"
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PAGE 4096
#define BOOK_PAGES 64
#define SHARED_BYTES (1 << 20)
#define SHARED_WORDS (SHARED_BYTES / sizeof(uint64_t))
#define RECORD_BYTES 8192
#define RECORD_WORDS (RECORD_BYTES / sizeof(uint64_t))
#define SYNC_STEPS 200

static const char HELP[] = "usage: scribe --dir DIRECTORY --log FILE --shm NAME [--layer FILE] [--rate MB/s] [--sparse-mb N] [--still MB]"
                           " [--report FILE]\nSIGUSR1: report; SIGUSR2: check and report; SIGTERM: end\n";

static const char *log_file, *layer_file, *report_file, *out_file = "out", *sparse_file = "sparse", *book_file = "book", *still_file = "still";
static char shared_file[256];
static uint64_t steps, records, sparse_pages, still_records;
static uint32_t *sparse_steps; /* by page: the step that wrote it last */
static uint64_t book_steps[BOOK_PAGES], shared_copy[SHARED_WORDS];
static volatile sig_atomic_t report_wanted;
static int64_t longest_gap; /* between two steps since the last report, ns */
static char bad[512];

static void on_signal(int signal) {
    report_wanted = signal;
}

static uint64_t word(uint64_t a, uint64_t b) { return (a * 0x9e3779b97f4a7c15ULL ^ b) * 0xbf58476d1ce4e5b9ULL + b; }

static void fill(uint64_t *words, size_t count, uint64_t what) {
    for (size_t i = 0; i < count; i++) {
        words[i] = word(what, i);
    }
}

static void write_at(int fd, const void *bytes, size_t count, off_t at) {
    if (pwrite(fd, bytes, count, at) != (ssize_t) count) {
        die("pwrite");
    }
}

__attribute__((format(printf, 1, 2))) static void wrong(const char *format, ...) {
    va_list arguments;
    if (!bad[0]) { /* the first is the one to know */
        va_start(arguments, format);
        vsnprintf(bad, sizeof bad, format, arguments);
        va_end(arguments);
    }
}

static int opened(const char *file) {
    int fd = open(file, O_RDONLY);
    if (fd < 0) {
        wrong("%s: %s", file, strerror(errno));
    }
    return fd;
}

static void check_records(const char *file, uint64_t count, uint64_t seed) {
    uint64_t expected[RECORD_WORDS], found[RECORD_WORDS];
    struct stat state;
    int fd = opened(file);
    if (fd < 0) {
        return;
    }
    if (fstat(fd, &state) < 0 || (uint64_t) state.st_size != count * RECORD_BYTES) {
        wrong("%s has %ld bytes, not %lu", file, (long) state.st_size, count * RECORD_BYTES);
    }
    for (uint64_t i = 0; i < count; i++) {
        fill(expected, RECORD_WORDS, i + seed);
        if (pread(fd, found, RECORD_BYTES, (off_t) (i * RECORD_BYTES)) != RECORD_BYTES ||
            memcmp(found, expected, RECORD_BYTES) != 0) {
            wrong("%s: record %lu", file, i);
            break;
        }
    }
    close(fd);
}

static void check_sparse(void) {
    uint64_t expected[PAGE / 8], found[PAGE / 8], written = 0;
    struct stat state;
    int fd = opened(sparse_file);
    for (uint64_t page = 0; fd >= 0 && page < sparse_pages; page++) {
        if (sparse_steps[page]) {
            written++;
            fill(expected, PAGE / 8, sparse_steps[page]);
            if (pread(fd, found, PAGE, (off_t) (page * PAGE)) != PAGE || memcmp(found, expected, PAGE) != 0) {
                wrong("%s: page %lu", sparse_file, page);
            }
        }
    }
    if (fd >= 0 && (fstat(fd, &state) < 0 || (uint64_t) state.st_blocks * 512 > written * 4 * PAGE + (1 << 20))) {
        wrong("%s: %ld blocks for %lu pages", sparse_file, (long) state.st_blocks, written);
    }
    close(fd);
}

/* Another process finds the lock. */
static int is_locked(void) {
    pid_t child = fork();
    int status = 0;
    if (child == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(book_file, O_RDWR);
        _exit(fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK ? 0 : 1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void check_book(void) {
    uint64_t expected[PAGE / 8], found[PAGE / 8];
    int fd = opened(book_file);
    for (int page = 0; fd >= 0 && page < BOOK_PAGES; page++) {
        fill(expected, PAGE / 8, book_steps[page]);
        if (book_steps[page] &&
            (pread(fd, found, PAGE, (off_t) page * PAGE) != PAGE || memcmp(found, expected, PAGE) != 0)) {
            wrong("%s: page %d", book_file, page);
        }
    }
    close(fd);
    if (!is_locked()) {
        wrong("%s: not locked", book_file);
    }
}

static void check_shared(const uint64_t *mapped) {
    static uint64_t found[SHARED_WORDS];
    int fd = opened(shared_file);
    if (fd >= 0 && (read(fd, found, SHARED_BYTES) != SHARED_BYTES || memcmp(found, shared_copy, SHARED_BYTES) != 0 ||
                    memcmp(mapped, shared_copy, SHARED_BYTES) != 0)) {
        wrong("%s", shared_file);
    }
    close(fd);
}

static void check_log(void) {
    char line[64];
    uint64_t expected = 0;
    FILE *file = fopen(log_file, "r");
    while (file && fgets(line, sizeof line, file)) {
        expected++;
        if (strtoull(line, NULL, 10) != expected) {
            wrong("%s: line %lu is %s", log_file, expected, line);
            break;
        }
    }
    if (expected != steps) {
        wrong("%s has %lu lines, not %lu", log_file, expected, steps);
    }
    if (file) {
        fclose(file);
    }
}

static void check_layer(void) {
    uint64_t found = 0;
    int fd = opened(layer_file);
    if (fd >= 0 && (read(fd, &found, sizeof found) != sizeof found || found != steps)) {
        wrong("%s: %lu, not %lu", layer_file, found, steps);
    }
    close(fd);
}

static void check(const uint64_t *mapped) {
    bad[0] = 0;
    check_records(out_file, records, 1);
    check_records(still_file, still_records, 2);
    check_sparse();
    check_book();
    check_shared(mapped);
    check_log();
    if (layer_file) {
        check_layer();
    }
}

static void report(void) {
    static int sequence;
    char text[1024], node[NAME_SIZE];
    read_node(NODE_FILE, node);
    snprintf(text, sizeof text,
        "{\"seq\":%d,\"node\":\"%s\",\"pid\":%d,\"steps\":%lu,\"maxGapMillis\":%.3f,\"ok\":%s,\"bad\":\"%s\"}\n", ++sequence, node,
        getpid(), steps, millis(longest_gap), bad[0] ? "false" : "true", bad);
    publish(report_file, text);
}

static int made(const char *file, int flags) {
    int fd = open(file, O_CREAT | O_TRUNC | flags, 0640);
    if (fd < 0) {
        die(file);
    }
    return fd;
}

int main(int count, char **values) {
    struct arguments arguments = read_arguments(count, values, HELP);
    const char *directory = text_argument(&arguments, "--dir", NULL), *name = text_argument(&arguments, "--shm", NULL);
    log_file = text_argument(&arguments, "--log", NULL);
    layer_file = text_argument(&arguments, "--layer", NULL);
    report_file = text_argument(&arguments, "--report", "/tmp/scribe.out");
    long rate = number_argument(&arguments, "--rate", 50), sparse_mb = number_argument(&arguments, "--sparse-mb", 2048);
    long still_mb = number_argument(&arguments, "--still", 0);
    end_arguments(&arguments);
    if (!directory || !log_file || !name || sparse_mb < 1) {
        usage(&arguments, 2);
    }
    mkdir(directory, 0750);
    if (chdir(directory) < 0) {
        die(directory);
    }
    snprintf(shared_file, sizeof shared_file, "/dev/shm/%s", name);
    sparse_pages = (uint64_t) sparse_mb << 8;
    sparse_steps = calloc(sparse_pages, sizeof *sparse_steps);
    int log = made(log_file, O_WRONLY | O_APPEND), out = made(out_file, O_WRONLY), sparse = made(sparse_file, O_RDWR);
    int book = made(book_file, O_RDWR), still = made(still_file, O_WRONLY), shared = made(shared_file, O_RDWR);
    int layer = layer_file ? made(layer_file, O_RDWR) : -1;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(book, F_OFD_SETLK, &lock) < 0 || ftruncate(sparse, (off_t) sparse_mb << 20) < 0 || ftruncate(shared, SHARED_BYTES) < 0) {
        die("fcntl or ftruncate");
    }
    uint64_t *mapped = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
    if (!sparse_steps || mapped == MAP_FAILED) {
        die("memory");
    }
    close(shared); /* the mapping stays */
    uint64_t record[RECORD_WORDS];
    for (; still_records < (uint64_t) still_mb << 7; still_records++) {
        fill(record, RECORD_WORDS, still_records + 2);
        write_at(still, record, RECORD_BYTES, (off_t) (still_records * RECORD_BYTES));
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    signal(SIGHUP, SIG_IGN);
    int64_t last = nanos(CLOCK_REALTIME); /* the monotonic one leaves out what a move takes */
    for (;;) {
        char line[32];
        int64_t now = nanos(CLOCK_REALTIME);
        if (now - last > longest_gap) {
            longest_gap = now - last;
        }
        last = now;
        steps++;
        int length = snprintf(line, sizeof line, "%lu\n", steps);
        if (write(log, line, (size_t) length) != length) {
            die(log_file);
        }
        for (uint64_t due = steps * (uint64_t) rate * 1000 / RECORD_BYTES; records < due; records++) {
            fill(record, RECORD_WORDS, records + 1);
            write_at(out, record, RECORD_BYTES, (off_t) (records * RECORD_BYTES));
        }
        uint64_t page = word(steps, 3) % sparse_pages;
        sparse_steps[page] = (uint32_t) steps;
        fill(record, PAGE / 8, steps);
        write_at(sparse, record, PAGE, (off_t) (page * PAGE));
        book_steps[steps % BOOK_PAGES] = steps;
        write_at(book, record, PAGE, (off_t) (steps % BOOK_PAGES * PAGE));
        if (steps % SYNC_STEPS == 0) {
            fdatasync(book);
        }
        shared_copy[steps % SHARED_WORDS] = mapped[steps % SHARED_WORDS] = word(steps, 5);
        if (layer >= 0) {
            write_at(layer, &steps, sizeof steps, 0);
        }
        if (steps == 1 || report_wanted) {
            if (report_wanted == SIGUSR2) {
                check(mapped);
            }
            report_wanted = 0;
            report();
            longest_gap = 0;
            last = nanos(CLOCK_REALTIME);
        }
        pause_nanos(NANOS_PER_MILLI);
    }
}
