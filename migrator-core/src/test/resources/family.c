/*
 * A parent and a child that has its memory, PAGES pages of which each one holds its number. Prints both pids and the
 * address, then does what it is told on its input, a line each, and answers "done":
 *
 *   p PAGE VALUE   the parent fills a page
 *   c PAGE VALUE   the child does
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define PAGES 1024

static char *memory;

struct order {
    char who;
    int page, value;
};

static void fill(int page, int value) {
    memset(memory + (long)page * PAGE, value, PAGE);
}

int main(void) {
    int down[2], up[2];
    struct order order;
    pid_t child;
    char line[100];

    memory = mmap(NULL, (long)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int page = 0; page < PAGES; page++) {
        fill(page, 1 + page % 250);
    }
    if (pipe(down) || pipe(up)) {
        return 1;
    }
    child = fork();
    if (child == 0) {
        close(down[1]);
        while (read(down[0], &order, sizeof order) == sizeof order) {
            fill(order.page, order.value);
            if (write(up[1], "", 1) != 1) {
                return 1;
            }
        }
        return 0;
    }
    close(down[0]);
    printf("%d %d %lx\n", getpid(), child, (unsigned long)memory);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && sscanf(line, "%c %d %d", &order.who, &order.page, &order.value) == 3) {
        if (order.who == 'p') {
            fill(order.page, order.value);
        } else if (write(down[1], &order, sizeof order) != sizeof order || read(up[0], line, 1) != 1) {
            return 1;
        }
        puts("done");
        fflush(stdout);
    }
    close(down[1]);
    wait(NULL);
    return 0;
}
