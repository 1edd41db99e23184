/*
 * Process 1 of a lab node.
 *
 *   node-init COMMAND [ARGUMENT...]
 *
 * Runs COMMAND (the node's sshd) and starts it again a second after it ends, so that a test may kill it.
 * Reaps every orphan for ever, as the init of a real node does. SIGTERM ends the node: everything in the
 * process namespace is killed with it.
 *
 * A program of its own because a shell as process 1 leaves zombies while it waits for something else.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct timespec RESTART_DELAY = {.tv_sec = 1};

static pid_t start(char **command, const sigset_t *signals) {
    pid_t child = fork();
    if (child != 0) {
        return child;
    }
    sigprocmask(SIG_UNBLOCK, signals, NULL);
    setsid();
    execv(command[0], command);
    fprintf(stderr, "node-init: %s: %s\n", command[0], strerror(errno));
    _exit(127);
}

/* Returns whether the service was among the ended children. */
static int reap(pid_t service) {
    int ended = 0;
    pid_t child;
    while ((child = waitpid(-1, NULL, WNOHANG)) > 0) {
        ended |= child == service;
    }
    return ended;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: node-init COMMAND [ARGUMENT...]\n");
        return 2;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);

    pid_t service = start(argv + 1, &signals);
    for (;;) {
        /* While the service is down a burst of SIGCHLD only postpones its restart: it never ends the wait early. */
        int signal = service > 0 ? sigwaitinfo(&signals, NULL) : sigtimedwait(&signals, NULL, &RESTART_DELAY);
        if (signal == SIGTERM) {
            kill(-1, SIGKILL);
            return 0;
        }
        if (signal == SIGCHLD && reap(service)) {
            service = 0;
        } else if (signal < 0 && errno == EAGAIN) {
            service = start(argv + 1, &signals);
        }
    }
}
