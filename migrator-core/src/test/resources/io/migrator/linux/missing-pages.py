"""Makes a userfaultfd over some pages of its memory as criu does, sends it to a socket, and does what it is told.

missing-pages.py SOCKET PAGES

Pages are counted from the first of them. What begins with "@N " is for the Nth child that was spawned, whose answers
begin with "N: ".
"""
import ctypes, os, platform, socket, struct, sys, threading

PAGE = 4096
NUMBER = 282 if platform.machine() == 'aarch64' else 323
CLOEXEC, NONBLOCK = 0o2000000, 0o4000
API, REGISTER, MODE_MISSING = 0xc018aa3f, 0xc020aa00, 1
EVENTS = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 6  # fork, remap, remove, unmap
libc = ctypes.CDLL(None, use_errno=True)
for each in (libc.mmap, libc.mremap):
    each.restype = ctypes.c_void_p


def check(result, what):
    if result is None or result in (-1, ctypes.c_void_p(-1).value):
        print('cannot', what, os.strerror(ctypes.get_errno()), flush=True)
        sys.exit(1)
    return result


def mapping(pages):
    private_anonymous = 0x22
    at = libc.mmap(None, ctypes.c_size_t(pages * PAGE), 3, private_anonymous, -1, ctypes.c_long(0))
    return check(at, 'mmap')


def call(function, at, pages, *more):
    check(function(ctypes.c_void_p(at), ctypes.c_size_t(pages * PAGE), *more), function.__name__)


def page(at):
    copy = ctypes.create_string_buffer(PAGE)
    libc.memcpy(copy, ctypes.c_void_p(at), ctypes.c_size_t(PAGE))  # unlike string_at this lets other threads go on
    found = set(copy.raw)
    return str(found.pop()) if len(found) == 1 else 'mixed'


pages = int(sys.argv[2])
start = mapping(pages)
aside = mapping(pages)
fd = check(libc.syscall(NUMBER, CLOEXEC | NONBLOCK), 'userfaultfd')
check(libc.ioctl(fd, ctypes.c_ulong(API), struct.pack('QQQ', 0xaa, EVENTS, 0)), 'UFFDIO_API')
check(libc.ioctl(fd, ctypes.c_ulong(REGISTER), struct.pack('QQQQ', start, pages * PAGE, MODE_MISSING, 0)), 'register')
with socket.socket(socket.AF_UNIX) as to:
    to.connect(sys.argv[1])
    to.sendall(struct.pack('i', os.getpid()))
    socket.send_fds(to, [b'\0'], [fd])
    to.sendall(struct.pack('i', -77))
    to.sendall(struct.pack('i', 0x52535446))
os.close(fd)
print(start, aside, flush=True)

prefix = ''
children = []


def say(*what):
    os.write(1, (prefix + ' '.join(str(each) for each in what) + '\n').encode())  # at once, as threads do it, too


def spawn():
    """Returns the child's own orders in the child, None in the parent."""
    global prefix
    theirs, ours = os.pipe()
    if os.fork():
        os.close(theirs)
        children.append(os.fdopen(ours, 'w'))
        return None
    os.close(ours)
    prefix += '%d: ' % len(children)
    for each in children:
        each.close()
    children.clear()
    return os.fdopen(theirs)


def moved(at, pages, then, flags, to):
    call(libc.mremap, at, pages, ctypes.c_size_t(then * PAGE), flags, ctypes.c_void_p(to))


def obey(order, numbers):
    at = start + numbers[0] * PAGE
    if order == 'read':
        say(page(at))
    elif order == 'thread':
        threading.Thread(target=lambda: say('thread', page(at)), daemon=True).start()
    elif order == 'write':
        ctypes.memset(at, numbers[1], PAGE)
        say('written')
    elif order == 'fork':
        child = os.fork()
        if child == 0:
            say('child', page(at))
            os._exit(0)
        os.waitpid(child, 0)
        say('forked')
    elif order == 'move':
        may_move_fixed = 3
        to = start + numbers[2] * PAGE if len(numbers) > 2 else aside
        moved(at, numbers[1], numbers[3] if len(numbers) > 3 else numbers[1], may_move_fixed, to)
        say('moved')
    elif order == 'moved':
        say(page(aside + numbers[0] * PAGE))
    elif order == 'empty':
        call(libc.madvise, at, numbers[1], 4)
        say('emptied')
    elif order == 'unmap':
        call(libc.munmap, at, numbers[1])
        say('unmapped')
    elif order == 'grow':
        moved(at, numbers[1], numbers[2], 1, 0)
        say('grown')
    elif order == 'leave':
        may_move_fixed_and_not_unmap = 7
        moved(at, numbers[1], numbers[1], may_move_fixed_and_not_unmap, aside)
        say('left')
    elif order == 'protect':
        call(libc.mprotect, at, numbers[1], 1)
        say('protected')


orders = sys.stdin
while line := orders.readline():
    order, *numbers = line.split()
    if order.startswith('@'):
        to = children[int(order[1:])]
        to.write(' '.join(numbers) + '\n')
        to.flush()
    elif order == 'spawn':
        own = spawn()
        if own:
            orders = own
        else:
            say('spawned')
    else:
        obey(order, [int(each) for each in numbers])
os._exit(0)
