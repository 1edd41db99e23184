/*
 * foothold: starts criu inside a running Apptainer instance and stays its parent.
 *
 * Why C: setns(2) refuses a user namespace to a process with more than one thread and a JVM always
 * has several; a pid namespace is entered by the children of the caller only; and between fork and
 * exec nothing but async-signal-safe calls may run. Why a process of its own: criu must have a
 * parent that outlives neither it nor the caller's verdict (see the relay below).
 *
 *   foothold -t APPINIT -s START -i IMAGES -b BUNDLE [-l LAST_PID] [-d] [-x CAPS] [-n PID] [-c CLOCKS]
 *            [-o FILE] [-e FILE]
 *   foothold -V   prints the limits that criu would have
 *
 *   -t  pid of the instance's appinit, as seen by the caller; it must be pid 1 of its pid namespace
 *   -s  its start time (field 22 of /proc/PID/stat): a recycled pid is refused
 *   -i  directory for criu's images: owned by the caller, not accessible to anyone else
 *   -b  the criu bundle: criu, lib/, and the empty directory `empty`
 *   -l  set ns_last_pid inside first, so that criu's helpers do not take a pid to be restored
 *   -d  for a dump: preload the bundle's lib/criushim.so into criu, else its lib/criufill.so
 *   -x  capabilities that this dump needs above the least, a mask: see rootentry.h
 *   -n  pid of a process whose time namespace to join: that of a job that has moved is none that its owner made
 *   -c  MONOTONIC,BOOTTIME: nanoseconds by which the clocks inside are to be ahead of ours (criu makes no time
 *       namespace without privilege)
 *   -o, -e  open the instance's log files, to which the payload's output goes, as descriptors 10 and 11
 *
 * criu gets: no environment but PATH=/nonexistent, no configuration file, no plugin directory
 * (facts: users.md section 6: otherwise the image runs code as root), descriptors 7 (images),
 * 8 (bundle), 10 and 11 (logs) and 30 (its end of a SOCK_SEQPACKET pair for `criu swrk`), and nothing else.
 *
 * Standard input and output carry packets of the caller: u32 kind, u32 length (both little endian),
 * then length bytes.
 *   in   'M' message for criu     'K' one byte: signal for criu
 *   out  'P' u32 pid of criu      'M' message from criu      'X' u32 wait status of criu, the last
 * End of file on standard input (the caller died or let go) closes criu's socket: criu then aborts a
 * dump (the payload runs on) and kills a restore that is held (criu/cr-service.c). A criu that has
 * not ended GRACE_MS later is killed, which has the same effect.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define IMAGES_FD 7
#define BUNDLE_FD 8
#define OUT_FD 10
#define ERR_FD 11
#define CRIU_FD 30
#define GRACE_MS 10000
/* tasks that a dead criu left behind may hold its socket open: what it said is read, no more */
#define LAST_WORDS_MS 50
#define MESSAGE_MAX (256 * 1024)
#define NANOS 1000000000LL

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	fputs("foothold: ", stderr);
	vfprintf(stderr, format, args);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
	exit(125);
}

static unsigned long number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || value > max)
		die("not a number up to %lu: %s", max, text);
	return value;
}

#include "rootentry.h"

/* ---- the instance ---- */

enum { NS_MNT, NS_PID, NS_NET, NS_IPC, NS_UTS, NS_CGROUP, NS_USER, NS_COUNT };

static const struct {
	const char *name;
	int flag;
} kinds[NS_COUNT] = {
	{ "mnt", CLONE_NEWNS },	 { "pid", CLONE_NEWPID },	{ "net", CLONE_NEWNET },   { "ipc", CLONE_NEWIPC },
	{ "uts", CLONE_NEWUTS }, { "cgroup", CLONE_NEWCGROUP }, { "user", CLONE_NEWUSER },
};

struct instance {
	int pidfd;
	int proc; /* /proc/PID */
	int namespaces[NS_COUNT]; /* those that it does not share with us; else -1 */
	struct owner owner;
};

static ssize_t read_at(int dir, const char *name, char *buffer, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		die("%s of appinit", name);
	got = read(fd, buffer, size - 1);
	close(fd);
	if (got < 0)
		die("%s of appinit", name);
	errno = 0;
	if ((size_t)got == size - 1)
		die("%s of appinit is too long", name);
	buffer[got] = 0;
	return got;
}

static unsigned long start_time(int proc)
{
	char text[1024], *field;
	int i;

	read_at(proc, "stat", text, sizeof text);
	field = strrchr(text, ')'); /* the name before it may hold anything */
	for (i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	errno = 0;
	if (!field)
		die("stat of appinit cannot be read");
	return strtoul(field, NULL, 10);
}

/* pid 1 of a pid namespace that is not ours, and owned by the caller unless the caller is root */
static void check_appinit(struct instance *instance)
{
	char text[16384], *line;
	uid_t caller = find_caller();
	int levels = 0;
	long last = 0;

	read_at(instance->proc, "status", text, sizeof text);
	read_owner(&instance->owner, text);
	if (caller && caller != instance->owner.uid)
		die("the instance belongs to uid %u, the caller is uid %u", instance->owner.uid, caller);
	line = strstr(text, "\nNSpid:");
	if (!line)
		die("the kernel does not tell NSpid");
	for (line += 7; *line == '\t' || *line == ' ';) {
		last = strtol(line, &line, 10);
		levels++;
	}
	if (levels < 2 || last != 1)
		die("the given process is not pid 1 of a pid namespace of its own");
}

static struct instance find_instance(pid_t pid, unsigned long start)
{
	struct instance instance = { .pidfd = -1 };
	char path[64];

	instance.pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (instance.pidfd < 0)
		die("appinit %d", pid);
	snprintf(path, sizeof path, "/proc/%d", pid);
	instance.proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (instance.proc < 0)
		die("%s", path);
	if (start_time(instance.proc) != start) {
		errno = 0;
		die("pid %d is another process by now", pid);
	}
	check_appinit(&instance);
	return instance;
}

static int same(int fd, const char *path)
{
	struct stat held, named;

	if (fstat(fd, &held) || stat(path, &named))
		die("%s", path);
	return held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

/*
 * Which namespaces to join: those in which the instance does not share ours. criu compares the
 * payload's namespaces with its own, so joining them all keeps it from dumping any. Not the time
 * namespace: criu makes one for the payload where the clocks of two nodes differ. They are held from
 * here: what the process does later changes nothing.
 */
static void open_namespaces(struct instance *instance)
{
	char path[64];

	for (int i = 0; i < NS_COUNT; i++) {
		int *ns = &instance->namespaces[i];

		snprintf(path, sizeof path, "ns/%s", kinds[i].name);
		*ns = openat(instance->proc, path, O_RDONLY | O_CLOEXEC);
		if (*ns < 0)
			die("%s of appinit", path);
		snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i].name);
		if (same(*ns, path)) {
			close(*ns);
			*ns = -1;
		}
	}
}

/* nobody but root can have changed anything in them */
static void check_namespaces(const struct instance *instance)
{
	errno = 0;
	if (instance->namespaces[NS_USER] >= 0)
		die("the instance has a user namespace: its owner needs no root to enter it");
	for (int i = 0; i < NS_COUNT; i++) {
		int owner = instance->namespaces[i] < 0 ? -1 : ioctl(instance->namespaces[i], NS_GET_USERNS);

		if (instance->namespaces[i] < 0)
			continue;
		if (owner < 0)
			die("who owns the namespaces of the instance");
		errno = 0;
		if (!same(owner, "/proc/self/ns/user"))
			die("the instance has namespaces that root did not make");
		close(owner);
	}
}

static void join(const struct instance *instance, int which)
{
	if (instance->namespaces[which] >= 0 && setns(instance->namespaces[which], kinds[which].flag))
		die("joining the %s namespace of the instance", kinds[which].name);
}

/* opened with the caller's rights */
static int open_clocks(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/ns/time_for_children", pid);
	fd = pid ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (pid && fd < 0)
		die("the time namespace of the job");
	return fd;
}

/* the next child gets a time namespace of its own; what our clocks are ahead already counts too (time_namespaces(7)) */
static void move_clocks(const char *ahead)
{
	long long by[2], seconds[2], nanos[2];
	char text[256];
	int length = 0, fd;
	FILE *now;

	errno = 0;
	if (sscanf(ahead, "%lld,%lld", &by[0], &by[1]) != 2)
		die("not two clocks: %s", ahead);
	now = fopen("/proc/self/timens_offsets", "re");
	if (!now || fscanf(now, "monotonic %lld %lld boottime %lld %lld", &seconds[0], &nanos[0], &seconds[1],
			   &nanos[1]) != 4)
		die("timens_offsets");
	fclose(now);
	if (unshare(CLONE_NEWTIME))
		die("a time namespace");
	for (int i = 0; i < 2; i++) {
		long long sum = nanos[i] + by[i] % NANOS + NANOS; /* of three that are more than -1 s together */

		length += snprintf(text + length, sizeof text - length, "%s %lld %lld\n", i ? "boottime" : "monotonic",
				   seconds[i] + by[i] / NANOS + sum / NANOS - 1, sum % NANOS);
	}
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, length) != length)
		die("timens_offsets");
	close(fd);
}

/* ---- criu ---- */

static int open_images(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		die("%s", path);
	errno = 0;
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		die("%s must belong to the caller and be closed to others", path);
	return fd;
}

static int open_log(const char *path)
{
	int fd = path ? open(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;

	if (path && (fd < 0 || fcntl(fd, F_SETFL, O_APPEND))) /* nobody's lease holds us up */
		die("%s", path);
	return fd;
}

/* above every number that is a target of move_fd; a descriptor that is not wanted stays -1 */
static int set_aside(int fd)
{
	int high = fd < 0 ? fd : fcntl(fd, F_DUPFD, CRIU_FD + 1);

	if (high < 0 && fd >= 0)
		die("descriptors for criu");
	return high;
}

static void move_fd(int from, int to)
{
	if (from >= 0 && dup2(from, to) < 0)
		die("descriptor %d", to);
}

static void close_all(unsigned int first, unsigned int last)
{
	if (syscall(SYS_close_range, first, last, 0))
		die("close_range");
}

static void set_last_pid(const char *last_pid)
{
	/* the kernel takes the pid namespace of the writer, so any /proc will do */
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, last_pid, strlen(last_pid)) < 0)
		die("ns_last_pid");
	close(fd);
}

/*
 * An exec by another uid than 0 keeps only ambient capabilities: those of the instance's user namespace, whose owner
 * has them all in it, or those that the root entry left. Not CAP_SETUID: with it criu's restore would first become
 * uid 0, which is not mapped there.
 */
static void keep_capabilities(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &head, sets))
		die("capget");
	sets[0].permitted &= ~(1U << CAP_SETUID);
	for (int i = 0; i < 2; i++)
		sets[i].effective = sets[i].inheritable = sets[i].permitted;
	if (syscall(SYS_capset, &head, sets))
		die("capset");
	for (int cap = 0; cap < 64; cap++)
		if ((sets[cap / 32].permitted >> (cap % 32) & 1) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0))
			die("capability %d", cap);
	prctl(PR_SET_DUMPABLE, 1); /* else /proc/self is root's, who is nobody here */
}

/* criu finds its images by a name below /proc, which is the instance's by now: it should not have made that */
static void check_proc(void)
{
	static const char *const names[] = { "/proc/self/fd/7", "/proc/self/fd/8" };
	struct statfs fs;
	struct stat named, held;

	for (int i = 0; i < 2; i++) {
		int fd = open(names[i], O_PATH | O_CLOEXEC);

		if (statfs("/proc", &fs) || fs.f_type != PROC_SUPER_MAGIC || fd < 0 || fstat(fd, &named) ||
		    fstat(IMAGES_FD + i, &held) || named.st_dev != held.st_dev || named.st_ino != held.st_ino)
			die("/proc of the instance is not the kernel's");
		close(fd);
	}
}

struct descriptors {
	int null, images, bundle, out, err, socket;
};

/*
 * libgcc_s is what the C library itself looks for when criu shows where it failed, and by then criu has another working
 * directory: it is loaded from the start.
 */
__attribute__((noreturn)) static void become_criu(struct descriptors fds, int dump)
{
	static char *const environment[] = { "PATH=/nonexistent", "LC_ALL=C", NULL };
	static char *argv[] = {
		"lib/ld.so", /* by no name that the instance could have made */
		"--library-path",
		"lib",
		"--preload",
		"lib/libgcc_s.so.1:lib/criushim.so",
		"./criu",
		"--libdir",
		"/proc/self/fd/8/empty",
		"--no-default-config",
		"swrk",
		"30",
		NULL,
	};

	fds.null = set_aside(fds.null);
	fds.images = set_aside(fds.images);
	fds.bundle = set_aside(fds.bundle);
	fds.out = set_aside(fds.out);
	fds.err = set_aside(fds.err);
	fds.socket = set_aside(fds.socket);
	close_all(3, CRIU_FD);
	move_fd(fds.null, 0);
	move_fd(2, 1); /* what criu prints goes with our errors */
	move_fd(fds.images, IMAGES_FD);
	move_fd(fds.bundle, BUNDLE_FD);
	move_fd(fds.out, OUT_FD);
	move_fd(fds.err, ERR_FD);
	move_fd(fds.socket, CRIU_FD);
	close_all(CRIU_FD + 1, ~0U);

	check_proc();
	if (fchdir(BUNDLE_FD))
		die("criu's bundle");
	if (!dump)
		argv[4] = "lib/libgcc_s.so.1:lib/criufill.so";
	execve(argv[0], argv, environment);
	die("criu's loader in the bundle");
}

/* ---- relay ---- */

struct criu {
	pid_t pid;
	int pidfd;
	int socket;
	int dump;
	int bound; /* by the root entry */
};

static char message[MESSAGE_MAX];

static void put(uint32_t kind, const void *bytes, uint32_t length)
{
	static char out[8 + MESSAGE_MAX];
	size_t size = 8 + length, done = 0;

	memcpy(out, &kind, 4);
	memcpy(out + 4, &length, 4);
	memcpy(out + 8, bytes, length);
	while (done < size) {
		ssize_t wrote = write(1, out + done, size - done);

		if (wrote < 0 && errno != EINTR)
			return; /* the caller is gone: end of file on its other end tells us */
		done += wrote > 0 ? wrote : 0;
	}
}

static int get(void *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = read(0, (char *)bytes + done, size - done);

		if (got == 0 || (got < 0 && errno != EINTR))
			return -1;
		done += got > 0 ? got : 0;
	}
	return 0;
}

/* returns -1 when the caller is gone or speaks nonsense */
static int from_caller(const struct criu *criu)
{
	uint32_t head[2];

	if (get(head, sizeof head) || head[1] > MESSAGE_MAX || get(message, head[1]))
		return -1;
	if (head[0] == 'M') {
		if (criu->bound && !is_allowed((unsigned char *)message, head[1], criu->dump)) {
			fputs("foothold: criu may not be asked that by the root entry\n", stderr);
			return -1;
		}
		return send(criu->socket, message, head[1], MSG_NOSIGNAL) < 0 && errno != EPIPE ? -1 : 0;
	}
	if (head[0] == 'K' && head[1] == 1) {
		syscall(SYS_pidfd_send_signal, criu->pidfd, (int)message[0], NULL, 0);
		return 0;
	}
	return -1;
}

/* returns -1 when criu closed its end */
static int from_criu(int socket)
{
	ssize_t got = recv(socket, message, sizeof message, MSG_TRUNC);

	if (got <= 0 || (size_t)got > sizeof message)
		return -1;
	put('M', message, got);
	return 0;
}

static void relay(const struct criu *criu)
{
	struct pollfd ends[3] = { { 0, POLLIN, 0 }, { criu->socket, POLLIN, 0 }, { criu->pidfd, POLLIN, 0 } };
	int dead = 0;

	for (;;) {
		int none = poll(ends, 3, dead ? LAST_WORDS_MS : ends[0].fd < 0 ? GRACE_MS : -1) == 0;

		if (none && dead)
			return;
		if (none)
			syscall(SYS_pidfd_send_signal, criu->pidfd, SIGKILL, NULL, 0);
		if (ends[1].fd >= 0 && ends[1].revents && from_criu(criu->socket))
			ends[1].fd = -1;
		if (ends[0].fd >= 0 && ends[0].revents && from_caller(criu)) {
			ends[0].fd = ends[1].fd = -1;
			close(criu->socket);
		}
		if (ends[2].fd >= 0 && ends[2].revents) {
			dead = 1;
			ends[2].fd = -1;
		}
		if (dead && ends[1].fd < 0)
			return;
	}
}

static int print_limits(void)
{
	char text[4096];
	int fd = open("/proc/self/limits", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text);

	return got > 0 && write(1, text, got) == got ? 0 : 125;
}

int main(int argc, char **argv)
{
	const char *images_path = NULL, *bundle_path = NULL, *last_pid = NULL, *clocks = NULL, *out = NULL, *err = NULL;
	struct descriptors fds;
	unsigned long start = 0;
	uint64_t caps = 0;
	int option, pair[2], clocks_fd, status = 0;
	pid_t appinit = 0, clocks_of = 0, child;
	struct clone_args how = { .exit_signal = SIGCHLD };
	uint32_t word;
	struct instance instance;
	struct criu criu = { .dump = 0 };

	while ((option = getopt(argc, argv, "t:s:i:b:l:dx:n:c:o:e:V")) != -1) {
		switch (option) {
		case 't': appinit = number(optarg, 1 << 22); break;
		case 's': start = number(optarg, ~0UL); break;
		case 'i': images_path = optarg; break;
		case 'b': bundle_path = optarg; break;
		case 'l': number(optarg, 1 << 22); last_pid = optarg; break;
		case 'd': criu.dump = 1; break;
		case 'x': caps = number(optarg, MORE_CAPS); break;
		case 'n': clocks_of = number(optarg, 1 << 22); break;
		case 'c': clocks = optarg; break;
		case 'o': out = optarg; break;
		case 'e': err = optarg; break;
		case 'V': return print_limits();
		default: exit(125);
		}
	}
	errno = 0;
	if (appinit < 2 || !images_path || !bundle_path || optind != argc || (caps & ~MORE_CAPS) || (caps && !criu.dump))
		die("usage: foothold -t APPINIT -s START -i IMAGES -b BUNDLE [-l LAST_PID] [-d] [-x CAPS] [-n PID] [-c CLOCKS] [-o FILE] [-e FILE]");

	do /* 0 to 2 are there, whatever the caller left us */
		fds.null = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fds.null >= 0 && fds.null < 3);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	for (int s = 0; s < 3; s++) /* Ctrl-C is the caller's to hear; we hear its end of file */
		signal((int[]){ SIGINT, SIGHUP, SIGQUIT }[s], SIG_IGN);
	instance = find_instance(appinit, start);
	open_namespaces(&instance);
	criu.bound = !getuid() && instance.owner.uid;
	if (criu.bound) {
		check_namespaces(&instance);
		check_starter(instance.proc);
		check_allowed(caps);
	}
	fds.bundle = criu.bound ? open_bundle_of_root(bundle_path) :
				  open(bundle_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fds.bundle < 0)
		die("%s", bundle_path);
	if (criu.bound)
		step_down(&instance.owner);
	fds.images = open_images(images_path);
	fds.out = open_log(out);
	fds.err = open_log(err);
	clocks_fd = open_clocks(clocks_of);
	if (criu.bound)
		step_up();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		die("socketpair");
	fds.socket = pair[1];
	criu.socket = pair[0];

	join(&instance, NS_USER);
	join(&instance, NS_PID);
	if (clocks_fd >= 0 && setns(clocks_fd, CLONE_NEWTIME)) /* criu sees no difference then, and need not enter it */
		die("joining the time namespace of the job");
	if (clocks) {
		prctl(PR_SET_DUMPABLE, 1); /* joining a user namespace made /proc/self root's */
		move_clocks(clocks);
	}
	if (last_pid) { /* criu too keeps off the pids to be restored */
		child = strtoul(last_pid, NULL, 10) + 1;
		how.set_tid = (uintptr_t)&child;
		how.set_tid_size = 1;
	}
	child = syscall(SYS_clone3, &how, sizeof how);
	if (child < 0)
		die("clone3");
	if (child == 0) {
		for (int s = 0; s < 3; s++)
			signal((int[]){ SIGINT, SIGHUP, SIGQUIT }[s], SIG_DFL);
		signal(SIGPIPE, SIG_DFL);
		setsid(); /* a terminal's Ctrl-C must not reach criu in mid-dump */
		if (last_pid)
			set_last_pid(last_pid);
		for (int i = 0; i < NS_USER; i++)
			if (i != NS_PID)
				join(&instance, i);
		if (criu.bound)
			become(&instance.owner, criu.dump ? DUMP_CAPS | caps : RESTORE_CAPS);
		if (getuid())
			keep_capabilities();
		become_criu(fds, criu.dump);
	}
	close(pair[1]);
	if (criu.bound)
		become(&instance.owner, criu.dump ? 0 : RESTORE_CAPS);
	criu.pid = child;
	criu.pidfd = syscall(SYS_pidfd_open, child, 0);
	if (criu.pidfd < 0)
		die("pidfd of criu");
	word = child;
	put('P', &word, 4);
	relay(&criu);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	word = status;
	put('X', &word, 4);
	return 0;
}
