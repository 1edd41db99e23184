/*
 * SPDX-License-Identifier: MIT
 *
 * criufill: preloaded into criu for a restore; keeps the job's private memory from the pre-copy on and puts it in place.
 *
 * Why C: memory changes its place without being copied by mremap(2) within one process and by fork(2) between two, and
 * by nothing else. criu makes the job's processes by forking itself; so the pages are kept in criu's own process, which
 * waits for the images anyway. The processes get them by the fork, and each moves its own to where criu puts its
 * mappings together (criu/mem.c, premap_private_vma). Copying would take half a second for each GB, in which the job
 * stands still. Loaded into criu (GPL-2.0), hence MIT.
 *
 * When criu opens inventory.img it is first given orders by the FIFO `memory` in the images directory (descriptor 7),
 * records of five u64 in the byte order of the machine: what, a, b, c, d. Addresses of kept pages are offsets in HELD
 * bytes of address space; an offset is an address of the job's but for a multiple of 1 GB, so that huge pages stay huge
 * and the kernel moves a GB by one entry of its tables (mm/mremap.c, move_normal_pud).
 *
 *   'U' a b     makes room at a for b bytes
 *   'W' a b c   b bytes for a follow; as a huge page, if c
 *   'D' a b     forgets b bytes at a
 *   'M' a b c   moves b bytes at a to c
 *   'Z' a b     the next mappings are those of process a (its pid inside); b: where their place begins, modulo 1 GB
 *   'P' a b c d the mapping c bytes long that criu makes a bytes into the place is at b; copied, if d
 *   'F' a b c   the last of these has its first c bytes of what process a, its parent, has b bytes into its place,
 *   'S' a b     but only what is from a to before b
 *   'G' a       criu may go on; a: pages are still to come, and no huge page may be made around them
 *
 * A process that is to be a zombie has none of criu's capabilities as it ends. And a thread that stood in a call which
 * waits goes on as one that is still in it. A terminal may have an owner who is nobody here.
 *
 * A process that has all of its mappings adds one to the u64 that is the file `placed`: who finds too few there knows
 * that this criu makes mappings in another way. What does not fit fails the call, and with it the restore.
 *
 * No libc but errno: built with -nostdlib.
 */
#include <linux/capability.h>
#include <linux/stat.h>
#include <stdarg.h>
#include <stdint.h>

#include "shim.h"

#define HELD (1UL << 45)
#define HUGE (2UL << 20)
#define SPAN (1UL << 30)
#define PAGE 4096
#define WORDS (PAGE / sizeof(uint64_t))

#define AT_EMPTY_PATH 0x1000
#define ENOENT 2
#define EINTR 4
#define ENOMEM 12
#define EINVAL 22
#define ECANCELED 125
#define O_RDWR 2
#define O_CLOEXEC 02000000
#define PROT_NONE 0
#define PROT_READ_WRITE 3
#define MAP_SHARED 1
#define MAP_PRIVATE 2
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MREMAP_FIXED 2
#define MREMAP_TO (1 | MREMAP_FIXED) /* MREMAP_MAYMOVE */
#define MADV_DONTNEED 4
#define MADV_DONTFORK 10
#define MADV_DOFORK 11
#define MADV_COLLAPSE 25
#define PTRACE_PEEKTEXT 1
#define PTRACE_GETREGS 12
#define PTRACE_SETREGS 13
#define PTRACE_DETACH 17
#define RTLD_NEXT ((void *)-1L)
#define PR_SET_NAME 15
#define PR_SET_THP_DISABLE 41
#define PR_GET_THP_DISABLE 42
#define FAILED ((void *)-1L)

struct order {
	uint64_t what, a, b, c, d;
};

struct mapping {
	uint64_t pid, at, held, size, copied; /* the first one of a process has no size, and in held where its place begins */
	uint64_t parent, from, inherits;      /* of the parent's place; no bytes if it inherits nothing */
	uint64_t stays, staying;	      /* which of all ranges, and how many */
};

struct range {
	uint64_t start, end;
};

struct table {
	char *records;
	uint64_t count, bytes;
};

static char *held;	     /* null: there is none, or no more */
static uint64_t holder;	     /* the process that keeps it */
static uint64_t *placed;     /* of all processes */
static struct table mappings, stays;

static char *place;	    /* where criu puts the mappings of a process together */
static uint64_t place_size;
static uint64_t placer;	    /* the process; a child begins with what its parent had here */
static struct mapping *mine, *next, *end;

static char *parent_place;
static struct mapping *parents, *parents_end; /* that are there */
static uint64_t parent;

static uint64_t self(void)
{
	return (uint64_t)call(NR_getpid, 0, 0, 0, 0);
}

static long map(void *address, uint64_t size, long prot, long flags, long fd, long offset)
{
	return call6(NR_mmap, (long)address, (long)size, prot, flags, fd, offset);
}

static int is_error(long result)
{
	return result < 0 && result > -4096;
}

/* where nothing is yet, at an address that is so much more than a multiple of SPAN; null if there is no room */
static char *reserve(uint64_t size, uint64_t more)
{
	long found = map(0, size + SPAN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t before;

	if (is_error(found))
		return 0;
	before = (more - (uint64_t)found) & (SPAN - 1);
	if (before)
		call(NR_munmap, found, (long)before, 0, 0);
	call(NR_munmap, found + (long)(before + size), (long)(SPAN - before), 0, 0);
	return (char *)found + before;
}

/* ---- orders ---- */

static int read_all(long fd, void *to, uint64_t size)
{
	while (size) {
		long got = call(NR_read, fd, (long)to, (long)size, 0);

		if (got <= 0 && got != -EINTR)
			return 0;
		if (got > 0) {
			to = (char *)to + got;
			size -= (uint64_t)got;
		}
	}
	return 1;
}

/* room for one more record of a size; null if there is none */
static void *add(struct table *to, uint64_t size)
{
	if ((to->count + 1) * size > to->bytes) {
		uint64_t larger = to->bytes ? 2 * to->bytes : 1 << 16;
		long at = to->bytes ? call6(NR_mremap, (long)to->records, (long)to->bytes, (long)larger, 1, 0, 0) :
				      map(0, larger, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (is_error(at))
			return 0;
		to->records = (char *)at;
		to->bytes = larger;
	}
	return to->records + to->count++ * size;
}

static struct mapping *mapping(uint64_t number)
{
	return (struct mapping *)mappings.records + number;
}

static int note(struct mapping what)
{
	struct mapping *it = add(&mappings, sizeof what);

	if (it)
		*it = what;
	return it != 0;
}

/* of the mapping that was noted last */
static int note_inherited(const struct order *order)
{
	struct mapping *it = mappings.count ? mapping(mappings.count - 1) : 0;
	struct range *range;

	if (!it || !it->size)
		return 0;
	if (order->what == 'F') {
		it->parent = order->a;
		it->from = order->b;
		it->inherits = order->c;
		it->stays = stays.count;
		it->staying = 0;
		return 1;
	}
	range = add(&stays, sizeof *range);
	if (range)
		*range = (struct range){ order->a, order->b };
	it->staying++;
	return range != 0;
}

/* the block is empty; without huge pages on this node it stays as it is */
static void make_huge(char *block)
{
	call(NR_prctl, PR_SET_THP_DISABLE, 0, 0, 0);
	*(volatile char *)block = 0;
	call(NR_madvise, (long)block, HUGE, MADV_COLLAPSE, 0);
	call(NR_prctl, PR_SET_THP_DISABLE, 1, 0, 0);
}

static int follow(long fd, const struct order *order)
{
	char *at = held + order->a;

	if (order->what == 'Z')
		return note((struct mapping){ .pid = order->a, .held = order->b });
	if (order->what == 'P')
		return mappings.count && note((struct mapping){ .pid = mapping(mappings.count - 1)->pid, .at = order->a,
								.held = order->b, .size = order->c, .copied = order->d });
	if (order->what == 'F' || order->what == 'S')
		return note_inherited(order);
	if (order->a > HELD || order->b > HELD - order->a)
		return 0;
	switch (order->what) {
	case 'U': return call(NR_mprotect, (long)at, (long)order->b, PROT_READ_WRITE, 0) == 0;
	case 'W':
		if (order->c && order->a % HUGE == 0 && order->b <= HUGE)
			make_huge(at);
		return read_all(fd, at, order->b);
	case 'D': return call(NR_madvise, (long)at, (long)order->b, MADV_DONTNEED, 0) == 0;
	case 'M': /* and leaves no room in which something else could come to lie */
		return order->c <= HELD && order->b <= HELD - order->c &&
		       call6(NR_mremap, (long)at, (long)order->b, (long)order->b, MREMAP_TO, (long)(held + order->c), 0) ==
			       (long)(held + order->c) &&
		       map(at, order->b, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (long)at;
	default: return 0;
	}
}

/* a process of the job's has no descriptor left by which it could write */
static int map_placed(void)
{
	long fd = call(NR_openat, AT_FDCWD, (long)"/proc/self/fd/7/placed", O_RDWR | O_CLOEXEC, 0);
	long at = map(0, sizeof *placed, PROT_READ_WRITE, MAP_SHARED, fd, 0);

	placed = (uint64_t *)at;
	call(NR_close, fd, 0, 0, 0);
	return !is_error(at);
}

/* small pages, until it is known that a block is full: memory that the job does not have is not to come into being */
static int take_orders(void)
{
	long fd = call(NR_openat, AT_FDCWD, (long)"/proc/self/fd/7/memory", O_CLOEXEC, 0), huge;
	struct order order;
	int well;

	if (fd == -ENOENT)
		return 1;
	held = reserve(HELD, 0);
	huge = call(NR_prctl, PR_GET_THP_DISABLE, 0, 0, 0);
	call(NR_prctl, PR_SET_THP_DISABLE, 1, 0, 0);
	do
		well = fd >= 0 && held && read_all(fd, &order, sizeof order) &&
		       (order.what == 'G' || follow(fd, &order));
	while (well && order.what != 'G');
	if (!well || !order.a) /* else criu's restorer sees to it, once pages that are to come are known to the kernel */
		call(NR_prctl, PR_SET_THP_DISABLE, huge, 0, 0);
	call(NR_close, fd, 0, 0, 0);
	holder = self();
	if (well) /* helpers need none of it; there may be holes, which is told as an error */
		call(NR_madvise, (long)held, HELD, MADV_DONTFORK, 0);
	return well && map_placed();
}

static int is_inventory(const char *name)
{
	const char *inventory = "inventory.img";

	while (*name && *name == *inventory)
		name++, inventory++;
	return *name == *inventory;
}

static int opened(int directory, const char *name, int flags, int mode)
{
	if (!holder && is_inventory(name) && !take_orders())
		return (int)with_errno(-ECANCELED);
	return (int)with_errno(call(NR_openat, directory, (long)name, flags, mode));
}

/* ---- zombies ---- */

/*
 * criu names no other process by this call but one that is to end at once (cr-restore.c, restore_one_zombie). With criu's
 * capabilities it would be a zombie whose exit status its owner, and the criu of the next dump, reads as 0 (proc(5), stat).
 */
int prctl(int option, ...)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0, 0, 0 } };
	long arguments[4];
	va_list args;

	va_start(args, option);
	for (int i = 0; i < 4; i++)
		arguments[i] = va_arg(args, long); /* garbage beyond those that were given, and then not looked at */
	va_end(args);
	if (option == PR_SET_NAME && holder && holder != self())
		call(NR_capset, (long)&head, (long)none, 0, 0);
	return (int)with_errno(call6(NR_prctl, option, arguments[0], arguments[1], arguments[2], arguments[3], 0));
}

/* ---- terminals ---- */

/*
 * In a user namespace that maps one id all others read as the overflow id, which nobody can be made: /dev/pts/ptmx is root's, a
 * terminal the group tty's. criu sets what it has read, and what is made anew has it already.
 */
int fchown(int fd, unsigned int uid, unsigned int gid)
{
	struct statx is;
	long result = call(NR_fchown, fd, (long)uid, (long)gid, 0);

	if (result == -EINVAL &&
	    !call6(NR_statx, fd, (long)"", AT_EMPTY_PATH, STATX_UID | STATX_GID, (long)&is, 0) &&
	    is.stx_uid == uid && is.stx_gid == gid)
		result = 0;
	return (int)with_errno(result);
}

/* ---- calls that wait ---- */

extern void *dlsym(void *, const char *);

#if defined(__x86_64__)
/*
 * criu leaves a thread in front of the call that it stood in. A signal that has come meanwhile, such as a timer's, is
 * handled there, and then the thread waits for it: alarm(2) and pause(2) would wait forever. So it leaves here as from
 * a call that is interrupted, which the kernel does again if no handler is called, and else ends (signal(7)): it was
 * just traced, so that it looks for signals (kernel/ptrace.c, __ptrace_unlink).
 */
static void as_waiting(long pid)
{
	enum { RAX = 10, RSI = 13, ORIG_RAX = 15, RIP = 16, REGISTERS = 27 }; /* struct user_regs_struct, sys/user.h */
	enum { FUTEX_WAIT = 0, FUTEX_WAIT_BITSET = 9, FUTEX_CMD = 127 };
	enum { ERESTARTSYS = 512, ERESTARTNOHAND = 514, SYSCALL = 0x050f, F_SETLKW = 7, F_OFD_SETLKW = 38 };
	uint64_t registers[REGISTERS], code;

	if (call(NR_ptrace, PTRACE_GETREGS, pid, 0, (long)registers) || registers[ORIG_RAX] != -1UL ||
	    call(NR_ptrace, PTRACE_PEEKTEXT, pid, (long)registers[RIP], (long)&code) || (code & 0xffff) != SYSCALL)
		return;
	registers[ORIG_RAX] = registers[RAX];
	switch (registers[RAX]) {
	case 23:  /* select */
	case 34:  /* pause */
	case 270: /* pselect6 */
	case 271: /* ppoll */
		registers[RAX] = -ERESTARTNOHAND;
		break;
	case 72: /* fcntl */
		if (registers[RSI] != F_SETLKW && registers[RSI] != F_OFD_SETLKW)
			return;
		registers[RAX] = -ERESTARTSYS;
		break;
	case 202: /* futex, of whose other operations none ends so */
		if ((registers[RSI] & FUTEX_CMD) != FUTEX_WAIT && (registers[RSI] & FUTEX_CMD) != FUTEX_WAIT_BITSET)
			return;
		registers[RAX] = -ERESTARTSYS;
		break;
	case 0: case 19:   /* read, readv */
	case 1: case 20:   /* write, writev */
	case 42:	   /* connect */
	case 43: case 288: /* accept, accept4 */
	case 44: case 46:  /* sendto, sendmsg */
	case 45: case 47:  /* recvfrom, recvmsg */
	case 61: case 247: /* wait4, waitid */
	case 73:	   /* flock */
		registers[RAX] = -ERESTARTSYS;
		break;
	default:
		return;
	}
	registers[RIP] += 2;
	call(NR_ptrace, PTRACE_SETREGS, pid, 0, (long)registers);
}
#elif defined(__aarch64__)
static void as_waiting(long pid)
{
	(void)pid; /* not yet */
}
#endif

long ptrace(int request, ...)
{
	long (*real)(int, ...) = (long (*)(int, ...))dlsym(RTLD_NEXT, "ptrace");
	long address, data;
	va_list args;
	int pid;

	va_start(args, request);
	pid = va_arg(args, int);
	address = va_arg(args, long);
	data = va_arg(args, long);
	va_end(args);
	if (request == PTRACE_DETACH)
		as_waiting(pid);
	return real(request, pid, address, data);
}

/* ---- the mappings of one process ---- */

/* criu itself keeps nothing once the job's first process has it: a page is copied on a write as long as two have it */
long syscall(long number, ...)
{
	long arguments[6], result;
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(args, long); /* garbage beyond those that were given, and then not looked at */
	va_end(args);
	if (number == NR_clone3 && held && holder == self())
		call(NR_madvise, (long)held, HELD, MADV_DOFORK, 0);
	result = call6(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
	if (number == NR_clone3 && result > 0 && held && holder == self()) {
		call(NR_munmap, (long)held, HELD, 0, 0);
		held = 0;
	}
	return with_errno(result);
}

/* criu/mem.c, prepare_mappings; null if there is no room */
static char *make_place(uint64_t size)
{
	struct mapping *all = mapping(mappings.count);

	parent = placer;
	parent_place = place;
	parents = mine;
	parents_end = next;
	placer = self();
	for (mine = mapping(0); mine < all && (mine->pid != placer || mine->size); mine++)
		;
	next = end = mine;
	if (mine < all)
		for (next = end = mine + 1; end < all && end->pid == placer; end++)
			;
	place = reserve(size, next > mine ? mine->held : 0);
	place_size = place ? size : 0;
	return place;
}

static int is_in_place(const void *address)
{
	return place_size && placer == self() && (uint64_t)((const char *)address - place) < place_size;
}

static int is_ours(const void *address)
{
	return is_in_place(address) && next < end && (const char *)address == place + next->at;
}

/* to where nothing is; of what is kept only what there is of it, which is given up */
static int copy(char *to, char *from, uint64_t size)
{
	static uint64_t entries[PAGE]; /* of /proc/PID/pagemap (proc(5)): a page that is there or swapped has one of its highest two bits */
	long fd = call(NR_openat, AT_FDCWD, (long)"/proc/self/pagemap", O_CLOEXEC, 0), got = fd;

	for (uint64_t at = 0; got >= 0 && at < size; at += (uint64_t)got * PAGE) {
		uint64_t most = (size - at) / PAGE;

		got = call(NR_pread64, fd, (long)entries, (long)((most < PAGE ? most : PAGE) * sizeof *entries),
			   (long)(((uint64_t)from + at) / PAGE * sizeof *entries)) / (long)sizeof *entries;
		if (got <= 0)
			got = -EINVAL;
		for (long page = 0; page < got; page++)
			for (uint64_t i = 0; entries[page] >> 62 && i < WORDS; i++)
				((volatile uint64_t *)(to + at))[(uint64_t)page * WORDS + i] =
					((uint64_t *)(from + at))[(uint64_t)page * WORDS + i];
		if (got > 0)
			call(NR_madvise, (long)(from + at), got * PAGE, MADV_DONTNEED, 0);
	}
	call(NR_close, fd, 0, 0, 0);
	return got >= 0;
}

/* whether all of it lies in one mapping that was put there: what else is near may be criu's own */
static int has_parent(uint64_t from, uint64_t size)
{
	for (const struct mapping *each = parents; each && ++each < parents_end;)
		if (from >= each->at && from - each->at <= each->size && size <= each->size - (from - each->at))
			return 1;
	return 0;
}

/* to where nothing is, as large as all of the mapping */
static long inherit(const struct mapping *it, char *to)
{
	const struct range *range = (const struct range *)stays.records + it->stays;
	uint64_t at = 0;
	long made;

	if (it->parent != parent || it->inherits > it->size || !has_parent(it->from, it->inherits))
		return -EINVAL;
	made = call6(NR_mremap, (long)(parent_place + it->from), (long)it->inherits, (long)it->size, MREMAP_TO, (long)to, 0);
	for (uint64_t i = 0; !is_error(made) && i <= it->staying; i++) {
		struct range next_one = i < it->staying ? range[i] : (struct range){ it->inherits, it->inherits };

		if (next_one.start < at || next_one.end < next_one.start || next_one.end > it->inherits ||
		    (next_one.start > at && call(NR_madvise, (long)(to + at), (long)(next_one.start - at), MADV_DONTNEED, 0)))
			made = -EINVAL;
		at = next_one.end;
	}
	return made;
}

/* the next of ours, for which criu has made what should be there if it is to be copied */
static void *put(char *address, uint64_t size, long made)
{
	struct mapping *it = next;

	if (it->size != size || it->held > HELD || size > HELD - it->held)
		made = -EINVAL;
	else if (it->inherits)
		made = inherit(it, address);
	if (is_error(made))
		return (void *)with_errno(made);
	if (!it->copied)
		made = call6(NR_mremap, (long)(held + it->held), (long)size, (long)size, MREMAP_TO, (long)address, 0);
	else if (!is_error(made) && !copy(address, held + it->held, size))
		made = -EINVAL;
	if (!is_error(made) && ++next == end)
		__atomic_add_fetch(placed, 1, __ATOMIC_SEQ_CST);
	return (void *)with_errno(made);
}

void *mmap(void *address, unsigned long size, int prot, int flags, int fd, long offset)
{
	if (held && placer != self() && !address && prot == PROT_NONE && flags == (MAP_PRIVATE | MAP_ANONYMOUS) && fd == 0) {
		char *found = make_place(size);

		return found ? found : (void *)with_errno(-ENOMEM);
	}
	if (!(flags & MAP_FIXED) || !is_ours(address))
		return (void *)with_errno(map(address, size, prot, flags, fd, offset));
	if (prot != PROT_READ_WRITE || !(flags & MAP_ANONYMOUS) || !(flags & MAP_PRIVATE))
		return (void *)with_errno(-EINVAL);
	return put(address, size, next->copied && !next->inherits ? map(address, size, prot, flags, fd, offset) : 0);
}

void *mmap64(void *address, unsigned long size, int prot, int flags, int fd, long offset) __attribute__((alias("mmap")));

/*
 * What a process has from its parent: the mapping, but not the pages. criu would take away those that its images have of
 * the parent alone (nr_dropped), and knows nothing of what is kept; of the process's own it has all, and copies them anew.
 */
void *mremap(void *old, unsigned long size, unsigned long becomes, int flags, ...)
{
	void *address;
	va_list args;
	long made = 0;

	va_start(args, flags);
	address = va_arg(args, void *); /* garbage where none was given, and then not looked at */
	va_end(args);
	if (!(flags & MREMAP_FIXED) || !is_in_place(address))
		return (void *)with_errno(
			call6(NR_mremap, (long)old, (long)size, (long)becomes, flags, (long)address, 0));
	if (!is_ours(address) || (next->copied && !next->inherits)) {
		made = call6(NR_mremap, (long)old, (long)size, (long)becomes, flags, (long)address, 0);
		if (!is_error(made) && is_error(call(NR_madvise, made, (long)becomes, MADV_DONTNEED, 0)))
			made = -EINVAL;
	}
	return is_ours(address) ? put(address, becomes, made) : (void *)with_errno(made);
}

/* criu drops pages that only the parent has; in what was put here there is nothing of the parent's */
int madvise(void *address, unsigned long size, int advice)
{
	uint64_t at = (uint64_t)((char *)address - place);

	if (advice == MADV_DONTNEED && place_size && placer == self() && at < place_size)
		for (const struct mapping *it = mine + 1; it < next; it++)
			if (at >= it->at && at < it->at + it->size)
				return 0;
	return (int)with_errno(call(NR_madvise, (long)address, (long)size, advice, 0));
}
