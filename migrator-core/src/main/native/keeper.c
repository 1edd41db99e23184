/*
 * keeper: holds the userfaultfds of a restored job beside the JVM that fills its memory.
 *
 * Why a process of its own: a userfaultfd that nobody holds any more lets the kernel fill the pages that are still to
 * come with zeros, and a JVM that is killed closes all it has. Why C: Java cannot give a descriptor to a process that
 * it starts, and a second JVM would be tens of megabytes of what the job needs.
 *
 *   keeper PID
 *
 *   PID  its parent, whose descriptors it takes
 *
 * It reads orders and answers each:
 *   hold FD   takes descriptor FD of PID (pidfd_getfd(2)): "held N", its number here
 *   drop N    closes it: "dropped N"
 *   else, and if that fails: "failed ERRNO"
 * At the end of its input it goes on holding, and nothing else, until a signal ends it; or ends, if it holds none. Of those that a terminal sends
 * it hears none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NUMBER_MAX (1 << 22)
#define LINE_MAX_BYTES 32

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	exit(125);
}

/* digits and nothing else; -1 if it is none */
static int number(const char *text)
{
	int value = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (*text - '0');
		if (value > NUMBER_MAX)
			return -1;
	}
	return value;
}

static void point_at_null(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < 3);
	if (fd < 0)
		die("/dev/null");
	close(fd);
}

/* returns 0 at the end; one that is too long is read over, and empty */
static int read_line(char *line)
{
	size_t length = 0;
	int c, whole = 1;

	while ((c = getchar()) != '\n') {
		if (c == EOF)
			return 0;
		if (!c || length == LINE_MAX_BYTES - 1)
			whole = 0;
		else
			line[length++] = c;
	}
	line[whole ? length : 0] = 0;
	return 1;
}

static void obey(const char *order, int pidfd, int *holds)
{
	int given = strlen(order) > 5 ? number(order + 5) : -1;
	int result = -1;

	errno = EINVAL;
	if (given >= 0 && !strncmp(order, "hold ", 5)) {
		result = syscall(SYS_pidfd_getfd, pidfd, given, 0);
		if (result >= 0)
			printf("held %d\n", result), ++*holds;
	} else if (given > pidfd && !strncmp(order, "drop ", 5)) { /* what it took lies above */
		result = close(given);
		if (!result)
			printf("dropped %d\n", given), --*holds;
	}
	if (result < 0)
		printf("failed %d\n", errno);
	fflush(stdout); /* of one who has gone there will be an end to read, too */
}

int main(int argc, char **argv)
{
	char line[LINE_MAX_BYTES];
	int pid = argc == 2 ? number(argv[1]) : -1;
	int pidfd, holds = 0;

	errno = EINVAL;
	if (pid < 1)
		die("usage: keeper PID");
	point_at_null();
	if (syscall(SYS_close_range, 3, ~0U, 0))
		die("close_range");
	for (int s = 0; s < 4; s++)
		signal((int[]){ SIGHUP, SIGINT, SIGQUIT, SIGPIPE }[s], SIG_IGN);
	setsid();
	if (chdir("/"))
		die("/");
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		die("pidfd_open");
	errno = ESRCH;
	if (getppid() != pid) /* that one may have ended, and another got its number */
		die("the parent");

	while (read_line(line))
		obey(line, pidfd, &holds);
	if (!holds)
		return 0;

	close(pidfd);
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	point_at_null();
	for (;;)
		pause();
}
