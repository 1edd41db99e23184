# Both ends of a connection in an awkward state: sockets.py inside|outside KIND DIRECTORY
# Each end brings the connection into the state and writes DIRECTORY/END-ready; when DIRECTORY/go appears it goes on, and
# says in DIRECTORY/END-done what came of it: "ok TEXT" or "bad TEXT". Python 3 without modules beyond the minimum.
import os, socket, sys, time

end, kind, directory = sys.argv[1:]
HERE, PORT = '10.77.0.103', 7000
OUT = '10.77.0.254'

def say(what, text):
    with open('%s/%s-%s.new' % (directory, end, what), 'w') as f:
        f.write(text)
    os.rename(f.name, f.name[:-4])

def await_go():
    say('ready', 'ready')
    while not os.path.exists(directory + '/go'):
        time.sleep(0.02)

def await_other():
    other = 'outside' if end == 'inside' else 'inside'
    while not os.path.exists('%s/%s-ready' % (directory, other)):
        time.sleep(0.02)

def pattern(start, length): # of each byte its place decides; not the same in both directions
    first = 7 if end == 'inside' else 11
    return bytes((first * (start + i) + (start + i) // 253) & 255 for i in range(length))

def theirs(start, length):
    first = 11 if end == 'inside' else 7
    return bytes((first * (start + i) + (start + i) // 253) & 255 for i in range(length))

def listener(address, port, backlog=8):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(backlog)
    return s

def pair(count): # that many connections between the ends
    if end == 'inside':
        s = listener(HERE, PORT)
        say('listens', '')
        return [s.accept()[0] for _ in range(count)]
    while not os.path.exists(directory + '/inside-listens'):
        time.sleep(0.02)
    return [socket.create_connection((HERE, PORT)) for _ in range(count)]

def read_all(s, start=0):
    got = start
    s.settimeout(60)
    while True:
        data = s.recv(65536)
        if not data:
            return got
        if data != theirs(got, len(data)):
            raise ValueError('other bytes at %d' % got)
        got += len(data)

def queues(): # both full, none read
    s, = pair(1)
    s.setblocking(False)
    sent, still = 0, 0
    while still < 20:
        try:
            sent += s.send(pattern(sent, 4096))
            still = 0
        except BlockingIOError:
            still += 1
            time.sleep(0.02)
    await_go()
    pid = os.fork() # one sends the rest, one reads: neither waits for the other
    s.settimeout(60)
    if pid == 0:
        for _ in range(25):
            s.sendall(pattern(sent, 4096))
            sent += 4096
        s.shutdown(socket.SHUT_WR)
        os._exit(0)
    got = read_all(s)
    os.waitpid(pid, 0)
    return '%d sent, %d received' % (sent + 25 * 4096, got)

def halfclosed():
    first, second = pair(2)
    mine, other = (first, second) if end == 'inside' else (second, first)
    mine.sendall(pattern(0, 1000))
    mine.shutdown(socket.SHUT_WR) # this end may only read of it, the other only write
    other.sendall(pattern(0, 1000))
    time.sleep(0.5)
    await_go()
    other.sendall(pattern(1000, 50000))
    other.shutdown(socket.SHUT_WR)
    return '%d and %d received' % (read_all(mine), read_all(other))

def synsent():
    if end == 'outside':
        s = listener(OUT, 7001, 0)
        hold = []
        for _ in range(2): # the queue of the listener is full: who asks now is not answered
            c = socket.socket()
            c.setblocking(False)
            c.connect_ex((OUT, 7001))
            hold.append(c)
        time.sleep(0.3)
        say('listens', '')
        await_go()
        s.settimeout(60)
        while True:
            c, peer = s.accept()
            if peer[0] == HERE:
                break
        c.sendall(pattern(0, 3000))
        c.shutdown(socket.SHUT_WR)
        return '%d received' % read_all(c)
    while not os.path.exists(directory + '/outside-listens'):
        time.sleep(0.02)
    s = socket.socket()
    s.bind((HERE, 0))
    s.setblocking(False)
    s.connect_ex((OUT, 7001))
    time.sleep(0.3)
    await_go()
    s.settimeout(60)
    end_at = time.time() + 60
    while True: # connected when it has a peer
        try:
            s.getpeername()
            break
        except OSError:
            if time.time() > end_at:
                raise
            time.sleep(0.05)
    s.sendall(pattern(0, 3000))
    s.shutdown(socket.SHUT_WR)
    return '%d received' % read_all(s)

def nft(text):
    pid = os.fork()
    if pid == 0:
        os.execlp('nft', 'nft', text)
    if os.waitpid(pid, 0)[1]:
        raise ValueError('nft ' + text)

def drops(name, hook, match):
    nft('add table ip %s; add chain ip %s c { type filter hook %s priority 0; }; add rule ip %s c %s drop'
        % (name, name, hook, name, match))

def partial(): # the peer has acknowledged the first half of what the kernel holds as one segment to be sent again
    s, = pair(1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if end == 'inside':
        s.recv(1)
        time.sleep(0.5)
        s.sendall(pattern(0, 896))
        time.sleep(0.05)
        s.sendall(pattern(896, 300)) # never arrives, and is made one with the first
        s.recv(1)
        await_go()
        s.sendall(pattern(1196, 3000))
        s.shutdown(socket.SHUT_WR)
        return '%d received' % (2 + read_all(s, 2))
    say('ready', 'ready')
    while not os.path.exists(directory + '/held'):
        time.sleep(0.02)
    s.sendall(pattern(0, 1))
    time.sleep(0.2)
    try:
        drops('it-in', 'input', 'ip saddr %s ip length > 100 ip length != 948' % HERE)
        drops('it-out', 'output', 'ip daddr ' + HERE)
        got = len(s.recv(896, socket.MSG_WAITALL))
        time.sleep(7) # sent again after 0.2, 0.6, 1.4, 3, 6.2 and 12.6 s
        nft('delete table ip it-out')
        s.sendall(pattern(1, 1)) # with it goes the acknowledgement
        time.sleep(0.2)
        say('acknowledged', 'yes')
        while not os.path.exists(directory + '/go'):
            time.sleep(0.02)
    finally:
        nft('delete table ip it-in; destroy table ip it-out')
    s.sendall(pattern(2, 1000))
    s.shutdown(socket.SHUT_WR)
    return '%d received' % read_all(s, got)

RCV_WND = 232 # in struct tcp_info, linux/tcp.h
TCP_REPAIR, TCP_REPAIR_QUEUE, SEND_QUEUE, OFF_NO_PROBE = 19, 20, 2, -1

def crowded(): # a segment beyond one that never arrived told the window last; the one before it finds no memory
    s, = pair(1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if end == 'inside':
        while len(s.recv(8000, socket.MSG_PEEK)) < 8000:
            time.sleep(0.02)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        s.sendall(pattern(0, 1))
        while s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, RCV_WND + 4)[RCV_WND:] != bytes(4):
            time.sleep(0.02)
        await_go()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        return '%d received' % read_all(s)
    s.sendall(pattern(0, 8000))
    s.recv(1)
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, SEND_QUEUE)
    s.sendall(pattern(8000, 500)) # the kernel believes it sent
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, OFF_NO_PROBE)
    s.sendall(pattern(8500, 500))
    await_go()
    s.sendall(pattern(9000, 1000))
    s.shutdown(socket.SHUT_WR)
    s.settimeout(60)
    return '%d more' % len(s.recv(1))

def udp():
    s = socket.socket(type=socket.SOCK_DGRAM)
    if end == 'inside':
        s.bind((HERE, PORT))
        s.settimeout(0.05)
        say('ready', 'ready')
        peer, n, stop = None, 0, None
        while True:
            try:
                data, peer = s.recvfrom(100)
                if data == b'end':
                    return '%d answered' % n
                s.sendto(data, peer)
                n += 1
            except socket.timeout:
                pass
    s.connect((HERE, PORT))
    s.settimeout(0.05)
    while not os.path.exists(directory + '/inside-ready'):
        time.sleep(0.02)
    say('ready', 'ready')
    went, came, lost_in_a_row, worst = 0, 0, 0, 0
    while not os.path.exists(directory + '/go') or lost_in_a_row:
        went += 1
        s.send(b'%d' % went)
        try:
            while s.recv(100) != b'%d' % went:
                pass
            came += 1
            lost_in_a_row = 0
        except socket.timeout:
            lost_in_a_row += 1
            worst = max(worst, lost_in_a_row)
            if worst > 100:
                raise
        time.sleep(0.005)
    s.send(b'end')
    if worst > 40: # two seconds
        raise ValueError('%d datagrams in a row were lost' % worst)
    return '%d of %d, %d in a row were lost' % (came, went, worst)

try:
    say('done', 'ok ' + globals()[kind]())
except Exception as e:
    say('done', 'bad %s: %s' % (type(e).__name__, e))
