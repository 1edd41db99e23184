"""A job with files of every kind, which it writes to all the time and can check: see EveryFileIT.

clerk.py SCRATCH LOG LAYER SHM REPORT: an output of 50 MB/s, a sparse file of 2 GB and a database (SQLite, in
write-ahead mode, always open) in SCRATCH; a line in LOG for each; a file LAYER of the instance's own; and
/dev/shm/SHM, mapped. SIGUSR2 lets it check all of them and write REPORT.
"""

import json
import mmap
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time

CHUNK = 1 << 19
RATE = 50_000_000
SPARSE = 2 << 30
PAGE = 4096
WORDS = 1 << 17

scratch, log_path, layer_path, shm_name, report_path = sys.argv[1:]
os.makedirs(scratch, exist_ok=True)
os.chdir(scratch)
log = open(log_path, "ab", buffering=0)
out = open("out", "w+b", buffering=0)
sparse = open("sparse", "w+b", buffering=0)
sparse.truncate(SPARSE)
os.makedirs(os.path.dirname(layer_path), exist_ok=True)
layer = open(layer_path, "w+b", buffering=0)
shm_file = open("/dev/shm/" + shm_name, "w+b")
shm_file.truncate(8 * WORDS)
shm = mmap.mmap(shm_file.fileno(), 8 * WORDS)
database = sqlite3.connect("book.db", isolation_level=None)
database.execute("pragma journal_mode = wal")
database.execute("create table entries (number integer primary key, text blob)")
wanted = False
steps = 0
touched = {}


def want(_signal, _frame):
    global wanted
    wanted = True


def chunk(number):
    return struct.pack("<Q", number * 0x9E3779B97F4A7C15 % (1 << 64)) * (CHUNK // 8)


def step():
    global steps
    out.write(chunk(steps))
    page = steps * 7919 % (SPARSE // PAGE)
    sparse.seek(page * PAGE)
    sparse.write(struct.pack("<Q", steps) * (PAGE // 8))
    touched[page] = steps
    log.write(b"step %d\n" % steps)
    layer.write(b"%016d\n" % steps)
    struct.pack_into("<Q", shm, 8 * (steps % WORDS), steps)
    database.execute("begin")
    for i in range(3):
        database.execute("insert into entries values (?, ?)", (3 * steps + i, b"x" * 500))
    database.execute("commit")
    steps += 1


def wrong():
    out.seek(0)
    for number in range(steps):
        if out.read(CHUNK) != chunk(number):
            return "out at chunk %d" % number
    if os.fstat(out.fileno()).st_size != steps * CHUNK or os.stat("out").st_size != steps * CHUNK:
        return "length of out"
    for page, number in touched.items():
        sparse.seek(page * PAGE)
        if sparse.read(PAGE) != struct.pack("<Q", number) * (PAGE // 8):
            return "sparse at page %d" % page
    with open(log_path, "rb") as lines:
        if lines.read() != b"".join(b"step %d\n" % number for number in range(steps)):
            return "log"
    with open(layer_path, "rb") as lines:
        if lines.read() != b"".join(b"%016d\n" % number for number in range(steps)):
            return "layer"
    with open("/dev/shm/" + shm_name, "rb") as words:
        for at, (word,) in enumerate(struct.iter_unpack("<Q", words.read())):
            last = max(range(at, steps, WORDS), default=0)
            if word != last:
                return "shm at word %d" % at
    if database.execute("pragma integrity_check").fetchone()[0] != "ok":
        return "integrity of the database"
    # another program: in this one SQLite would not know that it is the same file, whose number is another now
    query = ["sqlite3", "book.db", "select count(*), sum(number) from entries"]
    found = subprocess.run(query, capture_output=True, text=True)
    if found.stdout != "%d|%d\n" % (3 * steps, 3 * steps * (3 * steps - 1) // 2):
        return "entries of the database: %s %s" % (found.stdout, found.stderr)
    return ""


def report(number):
    bad = wrong()
    with open("/etc/migrator-node") as node:
        told = {"seq": number, "node": node.read().strip(), "steps": steps, "ok": not bad, "bad": bad}
    with open(report_path + ".new", "w") as file:
        json.dump(told, file, separators=(",", ":"))
    os.replace(report_path + ".new", report_path)


signal.signal(signal.SIGUSR2, want)
start = time.monotonic()
written = 0
step()
report(0)
reports = 1
while True:
    ahead = written / RATE - (time.monotonic() - start)
    if ahead > 0:
        time.sleep(min(ahead, 0.02))
    elif ahead < -1:
        start, written = time.monotonic(), 0  # it stood still, or had to wait: that is not made up for
    else:
        step()
        written += CHUNK
    if steps * CHUNK > 3 << 30:  # a test that takes so long needs no more of it
        time.sleep(0.1)
        start, written = time.monotonic(), 0
    if wanted:
        wanted = False
        report(reports)
        reports += 1
