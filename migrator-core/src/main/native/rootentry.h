/*
 * The root entry: what the foothold does when root runs it for the owner of an instance that Apptainer's setuid
 * starter made, which only root can enter. This is all of the product that decides anything with root's rights.
 *
 * Why C: see foothold.c, into which it is compiled.
 *
 * The caller, whom sudo(8) names, must own the instance's first process; it must have no user namespace of its own,
 * since there the owner needs no root. What the caller names is opened with his rights; the criu that is run is
 * root's. Then criu and the foothold itself become the owner, as the kernel says he is in that first process, with
 * LEAST_CAPS at most, and can gain no more by running anything (PR_SET_NO_NEW_PRIVS). Nothing here writes or makes a
 * file. What criu does with images of any kind is bounded by that: the owner's uid and groups, and capabilities that
 * open no file: CHECKPOINT_RESTORE to choose pids and see what is mapped, and for a restore SETPCAP to give them all
 * up. A dump, which reads no image, may have those of MORE_CAPS too; its request may have no field that would let
 * the caller choose what criu runs, loads or reads, and criushim.c gives the greatest of them up in time.
 */
#include <grp.h>

#define CAPS(which) (1ULL << (which))
#define DUMP_CAPS CAPS(CAP_CHECKPOINT_RESTORE)
#define RESTORE_CAPS (CAPS(CAP_CHECKPOINT_RESTORE) | CAPS(CAP_SETPCAP))
/* to find files that inotify watches; to hold off and read seccomp filters */
#define MORE_CAPS (CAPS(CAP_DAC_READ_SEARCH) | CAPS(CAP_SYS_ADMIN))

/* made by `migrator setup`, writable by root alone */
#define HOME "/var/lib/migrator/"
#define BUNDLES HOME "criu-"

#define GROUPS_MAX 1024

struct owner {
	uid_t uid;
	gid_t gid;
	size_t count;
	gid_t groups[GROUPS_MAX];
};

/* the user on whose behalf this runs; root itself only if nobody called it by sudo */
static uid_t find_caller(void)
{
	const char *by = getuid() ? NULL : getenv("SUDO_UID");

	return by ? number(by, ~0U - 1) : getuid();
}

/* four equal numbers, as a process has that is in no change of identity */
static unsigned int same_four(const char *status, const char *name)
{
	unsigned int id[4];
	const char *line = strstr(status, name);

	errno = 0;
	if (!line || sscanf(line + strlen(name), "%u %u %u %u", id, id + 1, id + 2, id + 3) != 4 ||
	    id[0] != id[1] || id[0] != id[2] || id[0] != id[3])
		die("who owns the instance cannot be told");
	return id[0];
}

static void read_owner(struct owner *owner, const char *status)
{
	const char *line = strstr(status, "\nGroups:");
	char *end;

	owner->uid = same_four(status, "\nUid:");
	owner->gid = same_four(status, "\nGid:");
	errno = 0;
	if (!line || !strchr(line + 1, '\n'))
		die("the groups of the instance's owner cannot be told");
	for (line += 8, owner->count = 0; *(line += strspn(line, "\t ")) != '\n'; line = end) {
		if (owner->count == GROUPS_MAX)
			die("the owner of the instance is in more than %d groups", GROUPS_MAX);
		owner->groups[owner->count++] = strtoul(line, &end, 10);
		if (end == line)
			die("the groups of the instance's owner cannot be told");
	}
}

/* MORE_CAPS open doors: each is root's to allow, by `migrator setup` */
static void check_allowed(uint64_t caps)
{
	if ((caps & CAPS(CAP_SYS_ADMIN)) && access(HOME "allow-seccomp", F_OK))
		die("seccomp is not allowed here: %sallow-seccomp", HOME);
	if ((caps & CAPS(CAP_DAC_READ_SEARCH)) && access(HOME "allow-inotify", F_OK))
		die("inotify is not allowed here: %sallow-inotify", HOME);
}

/*
 * Apptainer's own first process, and not a program of the owner's that is pid 1: he may neither trace the one nor tell
 * it what to do.
 */
static void check_starter(int proc)
{
	static const char starter[] = "/starter-suid";
	char path[4096];
	struct stat exe, own;
	ssize_t length = readlinkat(proc, "exe", path, sizeof path);
	ssize_t name = length - (ssize_t)strlen(starter);

	if (length < 0 || fstatat(proc, "exe", &exe, 0) || fstatat(proc, "environ", &own, 0))
		die("the program of appinit");
	errno = 0;
	if (name < 0 || memcmp(path + name, starter, strlen(starter)) || exe.st_uid || !(exe.st_mode & S_ISUID) ||
	    own.st_uid) /* root's, since it may not be traced (proc(5)) */
		die("the given process is not one of apptainer's setuid starter");
}

/* what is opened from here is opened with the owner's rights */
static void step_down(const struct owner *owner)
{
	if (setgroups(owner->count, owner->groups) || setegid(owner->gid) || seteuid(owner->uid))
		die("becoming uid %u", owner->uid);
}

static void step_up(void)
{
	if (seteuid(0) || setegid(0))
		die("becoming root again");
}

/* for good: nothing that is done or run from here has more rights than the owner and these capabilities */
static void become(const struct owner *owner, uint64_t caps)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2] = { { caps, caps, caps }, { caps >> 32, caps >> 32, caps >> 32 } };

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(caps >> cap & 1) && prctl(PR_CAPBSET_DROP, cap))
			die("dropping capability %d", cap);
	errno = 0;
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(owner->count, owner->groups) ||
	    setresgid(owner->gid, owner->gid, owner->gid) || setresuid(owner->uid, owner->uid, owner->uid) ||
	    syscall(SYS_capset, &head, sets) || prctl(PR_SET_KEEPCAPS, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("becoming uid %u", owner->uid);
}

/* root's own copy of criu, in which nobody else can have put anything */
static int open_bundle_of_root(const char *path)
{
	struct stat st;
	int fd;

	errno = 0;
	if (strncmp(path, BUNDLES, strlen(BUNDLES)) || strchr(path + strlen(BUNDLES), '/'))
		die("%s is not in %s", path, HOME);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		die("%s", path);
	errno = 0;
	if (st.st_uid || (st.st_mode & 027) != 5) /* one that is half made is not open to others */
		die("%s must belong to root and be writable by nobody else", path);
	return fd;
}

/* ---- what criu may be asked: a message of images/rpc.proto, protobuf encoding ---- */

enum { REQ_TYPE = 1, REQ_OPTS = 2, REQ_NOTIFY_SUCCESS = 3, TYPE_DUMP = 1, TYPE_RESTORE = 2, TYPE_NOTIFY = 6 };
enum { OPT_EXTERNAL = 37, OPT_IMAGES_DIR = 68 };

/* neither what criu runs (scripts, commands) or loads, nor where it looks for or puts anything */
static const unsigned char options[] = {
	1 /* images_dir_fd */, 2 /* pid */,	   8 /* file_locks */,	9 /* log_level */,     12 /* notify_scripts */,
	27 /* inherit_fd */,   34 /* cgroups */,   35 /* ghost_limit */, 45 /* timeout */,     64 /* network_lock */,
	67 /* unprivileged */, OPT_EXTERNAL,	   OPT_IMAGES_DIR,	10 /* log_file */,     5 /* tcp_established */,
};

struct field {
	uint64_t number, value; /* value: of a number, or the length */
	const unsigned char *bytes; /* NULL for a number */
};

static const unsigned char *varint(const unsigned char *at, const unsigned char *end, uint64_t *value)
{
	*value = 0;
	for (int shift = 0; at < end && shift < 64; shift += 7) {
		*value |= (uint64_t)(*at & 127) << shift;
		if (!(*at++ & 128))
			return at;
	}
	return NULL;
}

/* NULL if there is none that can be read; only numbers and bytes occur */
static const unsigned char *next_field(const unsigned char *at, const unsigned char *end, struct field *field)
{
	uint64_t tag;

	at = varint(at, end, &tag);
	if (!at || ((tag & 7) != 0 && (tag & 7) != 2))
		return NULL;
	field->number = tag >> 3;
	at = varint(at, end, &field->value);
	field->bytes = (tag & 7) ? at : NULL;
	if (!at || !field->bytes)
		return at;
	return field->value > (uint64_t)(end - at) ? NULL : at + field->value;
}

static int has_prefix(const struct field *field, const char *prefix)
{
	return field->bytes && field->value >= strlen(prefix) && !memcmp(field->bytes, prefix, strlen(prefix));
}

static int is_allowed_option(const struct field *field)
{
	if (field->number == OPT_IMAGES_DIR)
		return has_prefix(field, "/proc/self/fd/7") && field->value == strlen("/proc/self/fd/7");
	if (field->number == OPT_EXTERNAL)
		return has_prefix(field, "file[");
	return field->number < 256 && memchr(options, (int)field->number, sizeof options) != NULL;
}

static int is_allowed(const unsigned char *at, size_t size, int dump)
{
	const unsigned char *end = at + size, *inner;
	struct field field, option;

	while (at < end) {
		at = next_field(at, end, &field);
		if (!at)
			return 0;
		if (field.number == REQ_OPTS && field.bytes) {
			for (inner = field.bytes; inner < at;) {
				inner = next_field(inner, at, &option);
				if (!inner || !is_allowed_option(&option))
					return 0;
			}
		} else if (field.bytes || (field.number != REQ_NOTIFY_SUCCESS &&
					   !(field.number == REQ_TYPE && (field.value == TYPE_NOTIFY ||
							field.value == (dump ? TYPE_DUMP : TYPE_RESTORE))))) {
			return 0;
		}
	}
	return 1;
}
