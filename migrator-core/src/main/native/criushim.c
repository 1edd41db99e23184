/*
 * SPDX-License-Identifier: MIT
 *
 * criushim: preloaded into criu for a dump; keeps the job's private anonymous memory out of it.
 *
 * Why C: it must answer ioctl(2) inside criu's own process, between criu and the kernel, at the one
 * moment at which both the memory map is frozen and criu has not read the pages yet. Loaded into
 * criu (GPL-2.0), hence MIT.
 *
 * criu asks the kernel by PAGEMAP_SCAN which pages of a process exist (criu/pagemap-cache.c). Those
 * that lie in private anonymous read-write mappings are taken out of the answer and written to the
 * file `hidden` in the images directory (descriptor 7) instead, as records of
 * { u64 pid inside, u64 start, u64 end } in the byte order of the machine: exactly these pages the
 * caller must carry itself. Nothing is taken out that could not be written down. Everything else
 * (stacks, file mappings, shared memory, guard pages) stays criu's. In such a mapping no page is a file's: that criu asks whether
 * one is, for which the kernel looks at each page and not only at the page tables, is left out of the question. And of a large
 * one the kernel is asked where no page is, once, when criu asks all of the process for guards: a GB of small pages
 * takes it 0.8 ms so, and 4 in criu's two questions.
 *
 * It also keeps the job's TCP connections out of repair mode but for the moment in which criu reads
 * them (soccr/soccr.c, libsoccr_save). criu leaves them in it until its end, so that a
 * criu killed in between left the job sockets on which every send and receive fails. The connection
 * cannot change afterwards: its program is stopped and criu's nftables table drops its packets. What
 * repair mode was still good for, that the death of the job here sends no FIN, is the caller's to see
 * to (network/RepairMode.java). And it shows criu of a send queue only what the peer has not acknowledged, and windows
 * that the kernel takes again.
 *
 * And it opens the files that are mapped where criu may not. /proc/PID/map_files can be opened only with
 * CAP_CHECKPOINT_RESTORE in the first user namespace (fs/proc/base.c), which an ordinary user never has; criu's
 * own way round compares device numbers, which an overlay tells differently in stat and in maps. There the
 * file is opened by the name that the link has, which anybody may read, and compared by its inode number; a memory
 * file, which has no name, by a descriptor that the process has of it.
 *
 * And it answers for /proc/PID/smaps, for which the kernel walks all page tables, 10 ms for each GB and twice for criu,
 * while the job stands still: it is read before that, and told again if maps is the same to the byte when criu asks. What
 * madvise(2) or mlock(2) did to a whole mapping within these milliseconds is missed. It is read when the caller says so, by a
 * message of two bytes, which is sent back, while criu waits for his word at pre-dump; and where maps is another by then, or he
 * does not say so, just before the freeze.
 *
 * And it keeps what the root entry (rootentry.h) left criu above CHECKPOINT_RESTORE out of force but for the very calls
 * that need it: to hold off and read seccomp filters, and to find a watched file by its handle. The former is given up
 * before criu puts its code into the first process, as what criu hears from there, a hostile job could have written.
 * No program that criu starts inherits any, and no plugin is loaded.
 *
 * No libc but errno: built with -nostdlib.
 */
#include <linux/capability.h>
#include <linux/stat.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "shim.h"

#define IMAGES_FD 7
#define PAGEMAP_SCAN 0xC0606610UL /* _IOWR('f', 16, struct pm_scan_arg), linux/fs.h */
#define PAGE_IS_FILE (1UL << 2)
#define PAGE_IS_PRESENT (1UL << 3)
#define PAGE_IS_SWAPPED (1UL << 4)
#define PAGE_IS_PFNZERO (1UL << 5)
#define PAGE_IS_GUARD (1UL << 8)
#define MAX_RANGES 65536
#define MAX_GAPS 65536
#define LARGE (4UL << 20)
#define MAX_REGIONS 32768 /* criu asks for at most as many (PAGE_REGIONS_MAX_NR) */

#define SOL_SOCKET 1
#define SO_REUSEADDR 2
#define SOL_TCP 6
#define TCP_REPAIR 19
#define TCP_REPAIR_ON 1
#define TCP_REPAIR_OFF_NO_WP (-1) /* without a window probe */
#define TCP_REPAIR_QUEUE 20
#define TCP_NO_QUEUE 0
#define TCP_RECV_QUEUE 1
#define TCP_SEND_QUEUE 2
#define TCP_QUEUE_SEQ 21
#define TCP_REPAIR_WINDOW 29
#define SIOCOUTQ 0x5411
#define MSG_PEEK 2
#define MSG_TRUNC 0x20
#define MSG_NOSIGNAL 0x4000

/* CriuSession.java: a message without a type, notify_success (3) and no truth value; criu knows none that is so short */
#define LOOK_AHEAD_TAG 0x18
#define LOOK_AHEAD 7

#define PTRACE_PEEK_FIRST 1
#define PTRACE_PEEK_LAST 3
#define PTRACE_POKEDATA 5
#define PTRACE_SETOPTIONS 0x4200
#define PTRACE_SEIZE 0x4206
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#define PTRACE_SECCOMP_GET_METADATA 0x420d
#define PTRACE_O_SUSPEND_SECCOMP (1L << 21)
#define RTLD_NEXT ((void *)-1L)

#define AT_EMPTY_PATH 0x1000
#define O_WRONLY_CREAT_APPEND_CLOEXEC 02002101
#define O_CLOEXEC 02000000
#define MFD_CLOEXEC 1
#define PROT_READ_WRITE 3
#define MAP_PRIVATE_ANONYMOUS 0x22

struct page_region {
	uint64_t start, end, categories;
};

struct pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

struct tcp_repair_window {
	uint32_t snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup;
};

struct range {
	uint64_t start, end;
};

struct record {
	uint64_t pid, start, end;
};

extern void *dlsym(void *, const char *);

/* ---- capabilities ---- */

#define CAP(which) (1ULL << (which))
#define LEAST CAP(CAP_CHECKPOINT_RESTORE)
#define MOST (LEAST | CAP(CAP_SYS_ADMIN) | CAP(CAP_DAC_READ_SEARCH)) /* rootentry.h */

static uint64_t left; /* by the root entry; 0 if it did not start this criu */

static void in_force(uint64_t caps)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2] = { { (uint32_t)caps, (uint32_t)left, 0 },
						  { (uint32_t)(caps >> 32), (uint32_t)(left >> 32), 0 } };

	call(NR_capset, (long)&head, (long)sets, 0, 0);
}

/* another criu, perhaps, that was left more: the kernel compares what is permitted, not what is in force */
static int holds_more(long pid)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, (int)pid };
	struct __user_cap_data_struct sets[2];

	return call(NR_capget, (long)&head, (long)sets, 0, 0) || (sets[0].permitted & (uint32_t)(MOST & ~LEAST));
}

/* before any library's own (-z initfirst); without inheritable ones there are no ambient ones, which a program would get */
__attribute__((constructor)) static void lower(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2];
	uint64_t permitted;

	if (call(NR_capget, (long)&head, (long)sets, 0, 0))
		return;
	permitted = sets[0].permitted | (uint64_t)sets[1].permitted << 32;
	if (!(permitted & LEAST) || (permitted & ~MOST))
		return;
	left = permitted;
	in_force(LEAST);
}

static long with(uint64_t cap, long number, const long *arguments)
{
	long result;

	if (left & cap)
		in_force(LEAST | cap);
	result = call6(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
	if (left & cap)
		in_force(LEAST);
	return result;
}

/* as glibc has it: what a peek reads is returned */
long ptrace(int request, ...)
{
	int peek = request >= PTRACE_PEEK_FIRST && request <= PTRACE_PEEK_LAST;
	long arguments[6] = { request }, word, result;
	int privileged;
	va_list args;

	va_start(args, request);
	arguments[1] = va_arg(args, int);
	arguments[2] = va_arg(args, long);
	arguments[3] = va_arg(args, long);
	va_end(args);
	if (peek)
		arguments[3] = (long)&word;
	if (request == PTRACE_SEIZE && left && holds_more(arguments[1]))
		return with_errno(-EPERM);
	if (request == PTRACE_POKEDATA && (left & CAP(CAP_SYS_ADMIN))) {
		left &= ~CAP(CAP_SYS_ADMIN);
		in_force(LEAST);
	}
	privileged = request == PTRACE_SECCOMP_GET_FILTER || request == PTRACE_SECCOMP_GET_METADATA ||
		     (request == PTRACE_SETOPTIONS && (arguments[3] & PTRACE_O_SUSPEND_SECCOMP));
	result = with_errno(with(privileged ? CAP(CAP_SYS_ADMIN) : 0, NR_ptrace, arguments));
	if (!peek || result < 0)
		return result;
	*__errno_location() = 0;
	return word;
}

long syscall(long number, ...)
{
	long arguments[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(args, long); /* garbage beyond those that were given, and then not looked at */
	va_end(args);
	return with_errno(with(number == NR_open_by_handle_at ? CAP(CAP_DAC_READ_SEARCH) : 0, number, arguments));
}

/* what criu forks has no use for it, and could not be looked at by a criu in which less is in force */
int fork(void)
{
	int (*real)(void) = (int (*)(void))dlsym(RTLD_NEXT, "fork");
	int child = real();

	if (child == 0 && left) {
		left = LEAST;
		in_force(LEAST);
	}
	return child;
}

/* criu loads plugins from a directory that it finds by a name below /proc, which need not be the kernel's */
void *dlopen(const char *name, int flags)
{
	void *(*real)(const char *, int) = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");

	return left || !real ? NULL : real(name, flags);
}

/* ---- repair mode ---- */

static long map_memory(long size)
{
	return call6(NR_mmap, 0, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
}

static int repaired = -1; /* the socket that is in it */
static int reuse;	  /* its SO_REUSEADDR, which the kernel changes with the mode */
static int queue;	  /* the one of its queues that criu reads */

static int option(int fd, int level, int name, int value)
{
	return call6(NR_setsockopt, fd, level, name, (long)&value, sizeof value, 0) == 0;
}

static void leave_repair_mode(void)
{
	if (repaired >= 0 && option(repaired, SOL_TCP, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP))
		option(repaired, SOL_SOCKET, SO_REUSEADDR, reuse);
	repaired = -1;
}

int setsockopt(int fd, int level, int name, const void *value, unsigned int length)
{
	int repair = level == SOL_TCP && name == TCP_REPAIR;
	unsigned int size = sizeof reuse;
	long result;

	if (repair) {
		leave_repair_mode();
		if (call6(NR_getsockopt, fd, SOL_SOCKET, SO_REUSEADDR, (long)&reuse, (long)&size, 0))
			reuse = 0;
	}
	result = call6(NR_setsockopt, fd, level, name, (long)value, length, 0);
	if (repair && result == 0 && *(const int *)value == TCP_REPAIR_ON)
		repaired = fd;
	if (level == SOL_TCP && name == TCP_REPAIR_QUEUE)
		queue = *(const int *)value;
	return (int)with_errno(result);
}

/*
 * A socket without memory for what comes next closes its window (net/ipv4/tcp_output.c, tcp_select_window), but the segment
 * that last told of the peer's window may lie beyond: it came past one that was lost. The kernel takes no such state back
 * (net/ipv4/tcp.c, tcp_repair_set_window). An older segment in its place only lets more of those that follow tell.
 */
static void told_within(int fd, struct tcp_repair_window *window)
{
	uint32_t next, size = sizeof next, edge;

	if (!option(fd, SOL_TCP, TCP_REPAIR_QUEUE, TCP_RECV_QUEUE))
		return;
	if (call6(NR_getsockopt, fd, SOL_TCP, TCP_QUEUE_SEQ, (long)&next, (long)&size, 0) == 0) {
		edge = next + window->rcv_wnd;
		if ((int32_t)(window->snd_wl1 - edge) > 0)
			window->snd_wl1 = edge;
	}
	option(fd, SOL_TCP, TCP_REPAIR_QUEUE, TCP_NO_QUEUE);
}

/* the last that criu asks of a connection: where its send queue begins, and what is in it, if anything is */
int getsockopt(int fd, int level, int name, void *value, unsigned int *length)
{
	long result = call6(NR_getsockopt, fd, level, name, (long)value, (long)length, 0);
	int unsent = 0;

	if (fd == repaired && level == SOL_TCP && name == TCP_REPAIR_WINDOW && result == 0)
		told_within(fd, (struct tcp_repair_window *)value);
	if (fd == repaired && level == SOL_TCP && name == TCP_QUEUE_SEQ && queue == TCP_SEND_QUEUE &&
	    call(NR_ioctl, fd, SIOCOUTQ, (long)&unsent, 0) == 0 && unsent == 0)
		leave_repair_mode();
	return (int)with_errno(result);
}

/*
 * Of a segment that the peer has acknowledged in part, the kernel shows all (net/ipv4/tcp.c, tcp_peek_sndq), what is
 * acknowledged in front; criu, which knows how much is not, takes that for a queue that grew and gives up.
 */
static long without_acknowledged(int fd, char *buffer, long unsent, long shown, int flags)
{
	char *all = (char *)map_memory(shown);
	int counted = 0;

	if ((long)all < 0)
		return shown;
	if (call(NR_ioctl, fd, SIOCOUTQ, (long)&counted, 0) == 0 && counted - unsent <= 1 && counted >= unsent && /* a FIN counts */
	    call6(NR_recvfrom, fd, (long)all, shown, flags, 0, 0) == shown) {
		for (long i = 0; i < unsent; i++)
			buffer[i] = all[shown - unsent + i];
		call(NR_munmap, (long)all, shown, 0, 0);
		return unsent;
	}
	call(NR_munmap, (long)all, shown, 0, 0);
	return shown;
}

static void know_all(void);

/* criu asks for one byte more than there should be; and first for nothing but the length, of a message of the caller's */
long recv(int fd, void *buffer, size_t size, int flags)
{
	long result = call6(NR_recvfrom, fd, (long)buffer, (long)size, flags, 0, 0);
	unsigned char word[2];

	while (flags == (MSG_TRUNC | MSG_PEEK) && !buffer && result == sizeof word &&
	       call6(NR_recvfrom, fd, (long)word, sizeof word, MSG_PEEK, 0, 0) == sizeof word &&
	       word[0] == LOOK_AHEAD_TAG && word[1] == LOOK_AHEAD) {
		call6(NR_recvfrom, fd, (long)word, sizeof word, 0, 0, 0);
		know_all();
		call6(NR_sendto, fd, (long)word, sizeof word, MSG_NOSIGNAL, 0, 0);
		result = call6(NR_recvfrom, fd, 0, 0, flags, 0, 0);
	}
	if (fd == repaired && queue == TCP_SEND_QUEUE && (flags & MSG_PEEK)) {
		if (result >= (long)size)
			result = without_acknowledged(fd, buffer, (long)size - 1, result, flags);
		leave_repair_mode();
	}
	return with_errno(result);
}

/* ---- the ranges of one process ---- */

static struct range ranges[MAX_RANGES];
static int range_count;
static uint64_t ranges_pid;

static char *put_text(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	return to;
}

static char *put_number(char *to, uint64_t number)
{
	char digits[20];
	int n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (n)
		*to++ = digits[--n];
	return to;
}

static const char *hexadecimal(const char *text, uint64_t *value)
{
	for (*value = 0;; text++) {
		int digit = *text >= '0' && *text <= '9'   ? *text - '0'
			    : *text >= 'a' && *text <= 'f' ? *text - 'a' + 10
							   : -1;

		if (digit < 0)
			return text;
		*value = *value << 4 | (uint64_t)digit;
	}
}

static int begins(const char *text, const char *with)
{
	while (*with)
		if (*text++ != *with++)
			return 0;
	return 1;
}

/* a line of maps (proc(5)); the texts point into it, rights goes on to its end */
struct mapping {
	struct range range;
	uint64_t device, inode;
	const char *rights, *name;
};

/* returns 0 if it is none */
static int parse(const char *line, struct mapping *found)
{
	uint64_t offset, minor;
	const char *at = hexadecimal(line, &found->range.start);

	if (*at++ != '-')
		return 0;
	at = hexadecimal(at, &found->range.end);
	found->rights = at;
	if (*at != ' ' || !at[1] || !at[2] || !at[3] || !at[4] || at[5] != ' ')
		return 0;
	at = hexadecimal(at + 6, &offset);
	if (*at++ != ' ')
		return 0;
	at = hexadecimal(at, &found->device);
	if (*at++ != ':')
		return 0;
	at = hexadecimal(at, &minor);
	if (*at++ != ' ')
		return 0;
	found->device = found->device << 20 | minor;
	for (found->inode = 0; *at >= '0' && *at <= '9'; at++)
		found->inode = found->inode * 10 + (uint64_t)(*at - '0');
	while (*at == ' ')
		at++;
	found->name = at;
	return 1;
}

/* keeps what is "rw-p", without a file, and not a stack or the like */
static void add_if_private(const struct mapping *found)
{
	if (!begins(found->rights, " rw-p ") || found->device || found->inode ||
	    (*found->name && !begins(found->name, "[heap]") && !begins(found->name, "[anon:")))
		return;
	if (range_count < MAX_RANGES)
		ranges[range_count++] = found->range;
}

/* shows every mapping that a file called maps has */
static void each_mapping(const char *path, void (*see)(const struct mapping *))
{
	static char buffer[1 << 16];
	struct mapping found;
	long fd, used = 0, got;

	fd = call(NR_openat, AT_FDCWD, (long)path, 0, 0);
	if (fd < 0)
		return;
	while ((got = call(NR_read, fd, (long)(buffer + used), (long)sizeof buffer - used, 0)) > 0) {
		long line = 0;

		used += got;
		for (long i = 0; i < used; i++) {
			if (buffer[i] != '\n')
				continue;
			buffer[i] = 0;
			if (parse(buffer + line, &found))
				see(&found);
			line = i + 1;
		}
		for (long i = line; i < used; i++)
			buffer[i - line] = buffer[i];
		used -= line;
		if (used == (long)sizeof buffer)
			break; /* no line is that long */
	}
	call(NR_close, fd, 0, 0, 0);
}

static void read_ranges(uint64_t pid)
{
	char path[64];

	*put_text(put_number(put_text(path, "/proc/"), pid), "/maps") = 0;
	range_count = 0;
	ranges_pid = pid;
	each_mapping(path, add_if_private);
}

/* the one of which a range is a part; null if there is none */
static const struct range *range_of(uint64_t start, uint64_t end)
{
	int low = 0, high = range_count; /* maps is in order of addresses */

	while (low < high) {
		int middle = (low + high) / 2;

		if (ranges[middle].end <= start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < range_count && start >= ranges[low].start && end <= ranges[low].end ? &ranges[low] : NULL;
}

static int is_private(uint64_t start, uint64_t end)
{
	return range_of(start, end) != NULL;
}

/* the pid whose file of that name in /proc the descriptor is, or directory if without one; 0: something else, or criu's */
static uint64_t pid_of(int fd, const char *name)
{
	char link[64], target[64];
	uint64_t pid = 0;
	long length, at;

	*put_number(put_text(link, "/proc/self/fd/"), (uint64_t)fd) = 0;
	length = call(NR_readlinkat, AT_FDCWD, (long)link, (long)target, sizeof target - 1);
	if (length < 0)
		return 0;
	target[length] = 0;
	if (!begins(target, "/proc/"))
		return 0;
	for (at = 6; target[at] >= '0' && target[at] <= '9'; at++)
		pid = pid * 10 + (uint64_t)(target[at] - '0');
	if (*name && target[at++] != '/')
		return 0;
	if (!begins(target + at, name) || !begins(name, target + at))
		return 0;
	return pid == (uint64_t)call(NR_getpid, 0, 0, 0, 0) ? 0 : pid;
}

/* ---- files that are mapped ---- */

#define MAX_MAPS (16L << 20)

static long open_of(uint64_t pid, const char *name)
{
	char path[64];

	*put_text(put_text(put_number(put_text(path, "/proc/"), pid), "/"), name) = 0;
	return call(NR_openat, AT_FDCWD, (long)path, O_CLOEXEC, 0);
}

/* returns the length, negative if it is not all or cannot be read */
static long read_maps(uint64_t pid, char *into)
{
	long fd = open_of(pid, "maps"), got = fd, length = 0;

	while (fd >= 0 && length < MAX_MAPS &&
	       (got = call(NR_read, fd, (long)(into + length), MAX_MAPS - length, 0)) > 0)
		length += got;
	call(NR_close, fd, 0, 0, 0);
	return got ? -1 : length;
}

/* the maps of the process whose mapped files criu opens now, all in one go, as it stands still */
static struct {
	uint64_t pid;
	char *text;
	long length, at; /* the line that was wanted last: the next one follows */
} held;

static uint64_t mapped_inode;

static const char *next_line(const char *line)
{
	while (*line != '\n')
		line++;
	return line + 1;
}

/* the inode of what is mapped there; 0 if nothing is */
static uint64_t inode_at(uint64_t pid, uint64_t start)
{
	struct mapping found;

	if (!held.text)
		held.text = (char *)map_memory(MAX_MAPS);
	if ((long)held.text < 0)
		return 0;
	if (held.pid != pid) {
		held.length = read_maps(pid, held.text);
		held.at = 0;
		held.pid = pid;
	}
	for (int turn = 0; turn < 2; turn++, held.at = 0)
		for (; held.at < held.length; held.at = next_line(held.text + held.at) - held.text)
			if (parse(held.text + held.at, &found) && found.range.start == start)
				return found.inode;
	return 0;
}

static int is_mapped(long fd)
{
	struct statx found;

	return call6(NR_statx, fd, (long)"", AT_EMPTY_PATH, STATX_INO, (long)&found, 0) == 0 &&
	       found.stx_ino == mapped_inode;
}

/* closes what is not the mapped file */
static long checked(long fd)
{
	if (fd >= 0 && is_mapped(fd))
		return fd;
	if (fd >= 0)
		call(NR_close, fd, 0, 0, 0);
	return -EPERM;
}

struct entry { /* of a directory, getdents64(2) */
	uint64_t inode, offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

static long open_by_descriptor(uint64_t pid, int flags)
{
	static char entries[4096] __attribute__((aligned(8)));
	char path[64];
	long got, fd = -EPERM, directory;

	*put_text(put_number(put_text(path, "/proc/"), pid), "/fd") = 0;
	directory = call(NR_openat, AT_FDCWD, (long)path, 0, 0);
	while (fd < 0 && (got = call(NR_getdents64, directory, (long)entries, sizeof entries, 0)) > 0)
		for (long at = 0; fd < 0 && at < got; at += ((struct entry *)(entries + at))->length) {
			const char *name = ((struct entry *)(entries + at))->name;
			char link[16];

			if (*name != '.' && call(NR_readlinkat, directory, (long)name, (long)link, 8) == 8 &&
			    begins(link, "/memfd:"))
				fd = checked(call(NR_openat, directory, (long)name, flags, 0));
		}
	call(NR_close, directory, 0, 0, 0);
	return fd;
}

/* for a name in a map_files that the kernel would not open; -EPERM if the file cannot be had otherwise either */
static long open_mapped(int directory, const char *name, int flags)
{
	static char file[4096];
	uint64_t pid = directory < 0 ? 0 : pid_of(directory, "map_files");
	uint64_t start;
	long length;

	if (!pid || *hexadecimal(name, &start) != '-')
		return -EPERM;
	length = call(NR_readlinkat, directory, (long)name, (long)file, sizeof file - 1);
	if (length <= 0 || *file != '/')
		return -EPERM;
	file[length] = 0;
	mapped_inode = inode_at(pid, start);
	if (!mapped_inode)
		return -EPERM;
	return begins(file, "/memfd:") ? open_by_descriptor(pid, flags)
				       : checked(call(NR_openat, AT_FDCWD, (long)file, flags, 0));
}

/* ---- what was read before the freeze ---- */

#define MAX_KNOWN 1024

static struct known {
	uint64_t pid;
	long smaps; /* a memory file */
	char *maps;
	long length;
} known[MAX_KNOWN];
static int known_count;

static int same(const char *one, const char *other, long length)
{
	for (long i = 0; i < length; i++)
		if (one[i] != other[i])
			return 0;
	return 1;
}

/* returns a memory file, negative if there is none */
static long copy_smaps(uint64_t pid)
{
	static char buffer[1 << 16];
	long from = open_of(pid, "smaps"), got = from, wrote = 0;
	long to = call(NR_memfd_create, (long)"smaps", MFD_CLOEXEC, 0, 0);

	while (from >= 0 && (got = call(NR_read, from, (long)buffer, sizeof buffer, 0)) > 0 && wrote >= 0)
		wrote = call(NR_write, to, (long)buffer, got, 0) == got ? got : -1;
	call(NR_close, from, 0, 0, 0);
	if (got == 0 && wrote > 0)
		return to;
	call(NR_close, to, 0, 0, 0);
	return -1;
}

/* its maps are as they were */
static int is_still(const struct known *it)
{
	static long now;

	if (!now)
		now = map_memory(MAX_MAPS);
	return now > 0 && read_maps(it->pid, (char *)now) == it->length && same((char *)now, it->maps, it->length);
}

static struct known *known_of(uint64_t pid)
{
	struct known *it = known;

	while (it < known + known_count && it->pid != pid)
		it++;
	return it < known + known_count ? it : NULL;
}

static void know(uint64_t pid)
{
	struct known *it = known_of(pid), found = { pid, -1, NULL, 0 };

	if (it && it->smaps >= 0 && is_still(it))
		return;
	if (it && it->smaps >= 0)
		call(NR_close, it->smaps, 0, 0, 0);
	if (!it && known_count == MAX_KNOWN)
		return;
	found.maps = it ? it->maps : (char *)map_memory(MAX_MAPS);
	if ((long)found.maps < 0)
		return;
	if (!it)
		it = known + known_count++;
	found.length = read_maps(pid, found.maps);
	if (found.length > 0)
		found.smaps = copy_smaps(pid);
	*it = found;
	if (found.smaps >= 0 && !is_still(it)) {
		call(NR_close, found.smaps, 0, 0, 0);
		it->smaps = -1;
	}
}

static void know_all(void)
{
	static char entries[4096] __attribute__((aligned(8)));
	long directory = call(NR_openat, AT_FDCWD, (long)"/proc", O_CLOEXEC, 0), got;

	while ((got = call(NR_getdents64, directory, (long)entries, sizeof entries, 0)) > 0)
		for (long at = 0; at < got; at += ((struct entry *)(entries + at))->length) {
			const char *name = ((struct entry *)(entries + at))->name;
			uint64_t pid = 0;

			for (; *name >= '0' && *name <= '9'; name++)
				pid = pid * 10 + (uint64_t)(*name - '0');
			if (!*name && pid && pid != (uint64_t)call(NR_getpid, 0, 0, 0, 0))
				know(pid);
		}
	call(NR_close, directory, 0, 0, 0);
}

/* a descriptor, or negative: not known, or not so any more */
static long open_known(uint64_t pid)
{
	char path[64];
	const struct known *it = known_of(pid);

	if (!pid || !it || it->smaps < 0 || !is_still(it))
		return -1;
	*put_number(put_text(path, "/proc/self/fd/"), (uint64_t)it->smaps) = 0;
	return call(NR_openat, AT_FDCWD, (long)path, O_CLOEXEC, 0);
}

static int opened(int directory, const char *name, int flags, int mode)
{
	static int looked; /* for the last that criu looks for before it stops the job */
	long fd = -1;

	if (begins(name, "irmap-cache") && !looked++)
		know_all();
	if (directory >= 0 && begins(name, "smaps") && begins("smaps", name)) {
		held.pid = 0;
		fd = open_known(pid_of(directory, ""));
	}
	if (fd < 0)
		fd = call(NR_openat, directory, (long)name, flags, mode);

	return (int)with_errno(fd == -EPERM ? open_mapped(directory, name, flags) : fd);
}

/* ---- the answer ---- */

static int write_down(const struct record *records, long count)
{
	const char *bytes = (const char *)records;
	long size = count * (long)sizeof *records, done = 0;
	long fd = call(NR_openat, AT_FDCWD, (long)"/proc/self/fd/7/hidden",
		       O_WRONLY_CREAT_APPEND_CLOEXEC, 0600);

	if (fd < 0)
		return 0;
	while (done < size) {
		long wrote = call(NR_write, fd, (long)(bytes + done), size - done, 0);

		if (wrote <= 0)
			break;
		done += wrote;
	}
	call(NR_close, fd, 0, 0, 0);
	return done == size;
}

static struct record records[MAX_REGIONS];

/* ---- what is not there ---- */

/* where large private mappings of a process have no page, a swapped one, one of the kernel's zeros, or a guard; in order */
static struct page_region gaps[MAX_GAPS];
static long gap_count;
static uint64_t surveyed; /* the process; 0: none */

static int is_large(const struct range *range)
{
	return range->end - range->start >= LARGE;
}

/* pages of any of these kinds; returns how many regions, negative if that is not all */
static long look(int fd, struct range range, uint64_t not_present, uint64_t any, struct page_region *to, long room)
{
	long count = 0;

	while (range.start < range.end) {
		struct pm_scan_arg scan = { .size = sizeof scan, .start = range.start, .end = range.end,
					    .vec = (uint64_t)(to + count), .vec_len = (uint64_t)(room - count),
					    .category_inverted = not_present, .category_anyof_mask = not_present | any,
					    .return_mask = PAGE_IS_SWAPPED | PAGE_IS_PFNZERO | PAGE_IS_GUARD };
		long found = count < room ? call(NR_ioctl, fd, (long)PAGEMAP_SCAN, (long)&scan, 0) : -1;

		if (found < 0)
			return -1;
		if (found == 0)
			break;
		count += found;
		range.start = scan.walk_end; /* of more than 512 regions it is where the 512th ended, though all were told */
		if (to[count - 1].end > range.start)
			range.start = to[count - 1].end;
	}
	return count;
}

/* answers criu's question for guards (criu/mem.c, collect_madv_guards), which is one for all addresses; negative: cannot */
static long survey(int fd, const struct pm_scan_arg *asked)
{
	struct page_region *guards = (struct page_region *)asked->vec;
	long room = (long)asked->vec_len, count = 0, found;
	uint64_t at = asked->start;

	gap_count = 0;
	for (int i = 0; i <= range_count; i++) {
		int rest = i == range_count;

		if (!rest && !is_large(&ranges[i]))
			continue;
		if (rest || at < ranges[i].start) {
			struct range between = { at, rest ? asked->end : ranges[i].start };

			found = look(fd, between, 0, PAGE_IS_GUARD, guards + count, room - count);
			if (found < 0)
				return -1;
			for (; found; found--)
				guards[count++].categories = PAGE_IS_GUARD;
		}
		if (rest)
			break;
		at = ranges[i].end;
		found = look(fd, ranges[i], PAGE_IS_PRESENT, PAGE_IS_PFNZERO | PAGE_IS_GUARD, gaps + gap_count,
			     MAX_GAPS - gap_count);
		if (found < 0)
			return -1;
		for (; found; found--, gap_count++) {
			if (!(gaps[gap_count].categories & PAGE_IS_GUARD))
				continue;
			if (count == room)
				return -1;
			guards[count] = gaps[gap_count];
			guards[count++].categories = PAGE_IS_GUARD;
		}
	}
	return count;
}

static int is_surveyed(uint64_t pid, uint64_t start, uint64_t end)
{
	const struct range *range = pid && pid == surveyed ? range_of(start, end) : NULL;

	return range && is_large(range);
}

/* writes down all pages of a range that was surveyed */
static int hide(uint64_t pid, uint64_t start, uint64_t end)
{
	long hidden = 0, i = 0, behind = gap_count;

	while (i < behind) {
		long middle = (i + behind) / 2;

		if (gaps[middle].end <= start)
			i = middle + 1;
		else
			behind = middle;
	}
	for (; start < end; i++) {
		const struct page_region *gap = i < gap_count && gaps[i].start < end ? &gaps[i] : NULL;
		uint64_t until = gap ? gap->start : end;

		if (gap && gap->categories == PAGE_IS_SWAPPED)
			continue; /* is there */
		if (hidden == MAX_REGIONS) {
			if (!write_down(records, hidden))
				return 0;
			hidden = 0;
		}
		if (until > start)
			records[hidden++] = (struct record){ pid, start, until };
		start = gap ? gap->end : end;
	}
	return !hidden || write_down(records, hidden);
}

static long without_private(uint64_t pid, struct page_region *regions, long count)
{
	long hidden = 0, kept = 0;

	if (count > MAX_REGIONS)
		return count;
	for (long i = 0; i < count; i++)
		if (!(regions[i].categories & PAGE_IS_GUARD) &&
		    is_private(regions[i].start, regions[i].end))
			records[hidden++] = (struct record){ pid, regions[i].start, regions[i].end };
	if (hidden == 0 || !write_down(records, hidden))
		return count;
	for (long i = 0; i < count; i++)
		if ((regions[i].categories & PAGE_IS_GUARD) ||
		    !is_private(regions[i].start, regions[i].end))
			regions[kept++] = regions[i];
	return kept;
}

int ioctl(int fd, unsigned long command, ...)
{
	struct pm_scan_arg *scan;
	va_list args;
	void *argument;
	long result;
	uint64_t pid;

	va_start(args, command);
	argument = va_arg(args, void *);
	va_end(args);
	if (command != PAGEMAP_SCAN)
		return (int)with_errno(call(NR_ioctl, fd, (long)command, (long)argument, 0));
	leave_repair_mode(); /* the files of this process are done */
	scan = argument;
	pid = pid_of(fd, "pagemap");
	if (pid && pid != ranges_pid)
		read_ranges(pid);
	if (pid && scan->category_mask == PAGE_IS_GUARD && scan->start == 0) {
		result = survey(fd, scan);
		surveyed = result >= 0 ? pid : 0;
		if (surveyed) {
			scan->walk_end = scan->end;
			return (int)result;
		}
	}
	if (is_surveyed(pid, scan->start, scan->end) && hide(pid, scan->start, scan->end)) {
		scan->walk_end = scan->end;
		return 0;
	}
	if (pid && is_private(scan->start, scan->end)) {
		scan->category_inverted &= ~PAGE_IS_FILE;
		scan->category_mask &= ~PAGE_IS_FILE;
	}
	result = with_errno(call(NR_ioctl, fd, (long)command, (long)scan, 0));
	return (int)(pid && result > 0 ? without_private(pid, (struct page_region *)scan->vec, result) : result);
}
