/*
 * Waits for a timer, again and again, in a call that only its signal ends.
 *
 *   nap --file FILE [--in pause|read|sigwait] [--ms M]
 *
 * Each wait is for M ms (default 20); in sigwait for a POSIX timer, whose signal must tell its value. After each FILE is
 * replaced by {"seq":N}, N the number of waits; a wait that ended in another way ends nap.
 */
#define _GNU_SOURCE
#include "payload.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>

static const char HELP[] = "usage: nap --file FILE [--in pause|read|sigwait] [--ms M]\n";

static void wake(int signal) { (void) signal; }

static int nap(const char *in, struct timespec length) {
    struct itimerval once = {.it_value = {.tv_sec = length.tv_sec, .tv_usec = length.tv_nsec / 1000}};
    static int quiet[2];
    char byte;
    if (!quiet[1] && pipe(quiet)) {
        return 0;
    }
    setitimer(ITIMER_REAL, &once, NULL);
    int result = strcmp(in, "read") ? pause() : (int) read(quiet[0], &byte, 1);
    return result == -1 && errno == EINTR;
}

static int sigwait_nap(struct timespec length) {
    static timer_t timer;
    static sigset_t wanted;
    static long value;
    if (!value) {
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
        event.sigev_value.sival_ptr = &value;
        sigemptyset(&wanted);
        sigaddset(&wanted, SIGRTMIN);
        sigprocmask(SIG_BLOCK, &wanted, NULL);
        timer_create(CLOCK_MONOTONIC, &event, &timer);
    }
    value++;
    struct itimerspec once = {.it_value = length};
    siginfo_t info;
    int result;
    timer_settime(timer, 0, &once, NULL);
    do {
        result = sigwaitinfo(&wanted, &info);
    } while (result < 0 && errno == EINTR);
    return result == SIGRTMIN && info.si_code == SI_TIMER && info.si_value.sival_ptr == &value;
}

int main(int count, char **values) {
    struct arguments arguments = read_arguments(count, values, HELP);
    const char *file = text_argument(&arguments, "--file", "nap.json");
    const char *in = text_argument(&arguments, "--in", "pause");
    long interval = number_argument(&arguments, "--ms", 20);
    end_arguments(&arguments);
    struct timespec length = {interval / 1000, interval % 1000 * NANOS_PER_MILLI};
    struct sigaction action = {.sa_handler = wake};
    sigaction(SIGALRM, &action, NULL);
    for (long i = 1;; i++) {
        char text[64];
        if (!(strcmp(in, "sigwait") ? nap(in, length) : sigwait_nap(length))) {
            fprintf(stderr, "nap: it was not the timer\n");
            return 1;
        }
        snprintf(text, sizeof text, "{\"seq\":%ld}\n", i);
        publish(file, text);
    }
}
