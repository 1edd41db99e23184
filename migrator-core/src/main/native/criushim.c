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
 * (stacks, file mappings, shared memory, guard pages) stays criu's.
 *
 * It also keeps the job's TCP connections out of repair mode but for the moment in which criu reads
 * them (soccr/soccr.c, libsoccr_save). criu leaves them in it until its end, so that a
 * criu killed in between left the job sockets on which every send and receive fails. The connection
 * cannot change afterwards: its program is stopped and criu's nftables table drops its packets. What
 * repair mode was still good for, that the death of the job here sends no FIN, is the caller's to see
 * to (network/RepairMode.java).
 *
 * No libc but errno: built with -nostdlib.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGES_FD 7
#define PAGEMAP_SCAN 0xC0606610UL /* _IOWR('f', 16, struct pm_scan_arg), linux/fs.h */
#define PAGE_IS_GUARD (1UL << 8)
#define MAX_RANGES 65536
#define MAX_REGIONS 32768 /* criu asks for at most as many (PAGE_REGIONS_MAX_NR) */

#define SOL_SOCKET 1
#define SO_REUSEADDR 2
#define SOL_TCP 6
#define TCP_REPAIR 19
#define TCP_REPAIR_ON 1
#define TCP_REPAIR_OFF_NO_WP (-1) /* without a window probe */
#define TCP_REPAIR_QUEUE 20
#define TCP_SEND_QUEUE 2
#define TCP_QUEUE_SEQ 21
#define SIOCOUTQ 0x5411
#define MSG_PEEK 2

#define AT_FDCWD (-100)
#define O_WRONLY_CREAT_APPEND_CLOEXEC 02002101

struct page_region {
	uint64_t start, end, categories;
};

struct pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

struct range {
	uint64_t start, end;
};

struct record {
	uint64_t pid, start, end;
};

extern int *__errno_location(void);

/* ---- system calls ---- */

#if defined(__x86_64__)
enum { NR_read = 0, NR_write = 1, NR_close = 3, NR_ioctl = 16, NR_getpid = 39, NR_recvfrom = 45,
       NR_setsockopt = 54, NR_getsockopt = 55, NR_openat = 257, NR_readlinkat = 267 };

static long call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
enum { NR_read = 63, NR_write = 64, NR_close = 57, NR_ioctl = 29, NR_getpid = 172, NR_recvfrom = 207,
       NR_setsockopt = 208, NR_getsockopt = 209, NR_openat = 56, NR_readlinkat = 78 };

static long call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#else
#error "criushim: no system call for this processor yet"
#endif

static long call(long number, long a, long b, long c, long d)
{
	return call6(number, a, b, c, d, 0, 0);
}

static long with_errno(long result)
{
	if (result < 0 && result > -4096) {
		*__errno_location() = (int)-result;
		return -1;
	}
	return result;
}

/* ---- repair mode ---- */

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

/* the last that criu asks of a connection: where its send queue begins, and what is in it, if anything is */
int getsockopt(int fd, int level, int name, void *value, unsigned int *length)
{
	long result = call6(NR_getsockopt, fd, level, name, (long)value, (long)length, 0);
	int unsent = 0;

	if (fd == repaired && level == SOL_TCP && name == TCP_QUEUE_SEQ && queue == TCP_SEND_QUEUE &&
	    call(NR_ioctl, fd, SIOCOUTQ, (long)&unsent, 0) == 0 && unsent == 0)
		leave_repair_mode();
	return (int)with_errno(result);
}

long recv(int fd, void *buffer, size_t size, int flags)
{
	long result = call6(NR_recvfrom, fd, (long)buffer, (long)size, flags, 0, 0);

	if (fd == repaired && queue == TCP_SEND_QUEUE && (flags & MSG_PEEK))
		leave_repair_mode();
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

/* one line of maps (proc(5)): keeps it if it is "rw-p", without a file, and not a stack or the like */
static void add_if_private(const char *line)
{
	struct range found;
	uint64_t offset, inode = 0;
	const char *at = hexadecimal(line, &found.start);

	if (*at++ != '-')
		return;
	at = hexadecimal(at, &found.end);
	if (!begins(at, " rw-p "))
		return;
	at = hexadecimal(at + 6, &offset);
	if (!begins(at, " 00:00 "))
		return;
	for (at += 7; *at >= '0' && *at <= '9'; at++)
		inode = inode * 10 + (uint64_t)(*at - '0');
	while (*at == ' ')
		at++;
	if (inode || (*at && !begins(at, "[heap]") && !begins(at, "[anon:")))
		return;
	if (range_count < MAX_RANGES)
		ranges[range_count++] = found;
}

static void read_ranges(uint64_t pid)
{
	static char buffer[1 << 16];
	char path[64], *end = put_number(put_text(path, "/proc/"), pid);
	long fd, used = 0, got;

	*put_text(end, "/maps") = 0;
	range_count = 0;
	ranges_pid = pid;
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
			add_if_private(buffer + line);
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

static int is_private(uint64_t start, uint64_t end)
{
	int low = 0, high = range_count; /* maps is in order of addresses */

	while (low < high) {
		int middle = (low + high) / 2;

		if (ranges[middle].end <= start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < range_count && start >= ranges[low].start && end <= ranges[low].end;
}

/* the pid whose pagemap the descriptor is; 0 if it is something else or criu itself */
static uint64_t pid_of(int fd)
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
	if (!begins(target + at, "/pagemap") || target[at + 8])
		return 0;
	return pid == (uint64_t)call(NR_getpid, 0, 0, 0, 0) ? 0 : pid;
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

static long without_private(uint64_t pid, struct page_region *regions, long count)
{
	static struct record records[MAX_REGIONS];
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
	va_list args;
	void *argument;
	long result;
	uint64_t pid;

	va_start(args, command);
	argument = va_arg(args, void *);
	va_end(args);
	result = with_errno(call(NR_ioctl, fd, (long)command, (long)argument, 0));
	if (command != PAGEMAP_SCAN || result <= 0)
		return (int)result;
	leave_repair_mode(); /* the files of this process are done */
	pid = pid_of(fd);
	if (!pid)
		return (int)result;
	if (pid != ranges_pid)
		read_ranges(pid);
	return (int)without_private(
		pid, (struct page_region *)((struct pm_scan_arg *)argument)->vec, result);
}
