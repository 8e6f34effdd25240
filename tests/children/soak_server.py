"""soak_server.py TRUTH RATE [both] [loud] [helper] [slow] [crash SECONDS CODE]: numbered lines, and how many they are.

Each line is `#PID-START STREAM NUMBER ...`. How many were written stands in a file below TRUTH that is mapped into
memory, so it is right whoever is killed when: counts of both streams, code with which it is about to end (plus one),
time of its beginning and of its last line. `both`: every other line on stderr. `loud`: long lines. `helper`: children
of its own, one of them in a session of its own. `slow`: takes half a second to end. `crash`: ends by itself after
about so long.
"""

import mmap
import os
import random
import signal
import struct
import sys
import time

ACCOUNT = struct.Struct("<qqqdd")
truth, rate, words = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
key = os.environ["SB_KEY"]
with open("/proc/self/stat", "rb") as file:
    started = int(file.read().rpartition(b") ")[2].split()[19])
me = f"{os.getpid()}-{started}"
folder = os.path.join(truth, key.rpartition(".")[0])
os.makedirs(folder, exist_ok=True)
fd = os.open(os.path.join(folder, f".{me}"), os.O_RDWR | os.O_CREAT, 0o600)
os.truncate(fd, ACCOUNT.size)
account = mmap.mmap(fd, ACCOUNT.size)
counts, began = [0, 0], time.time()
ACCOUNT.pack_into(account, 0, 0, 0, 0, began, began)
os.rename(os.path.join(folder, f".{me}"), os.path.join(folder, f"{me} {key}"))

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def stay():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    while True:
        signal.pause()


if "helper" in words:
    if os.fork() == 0:
        stay()
    if os.fork() == 0:
        os.setsid()
        stay()


def say(which):
    filling = "." * (160 if "loud" in words else 10)
    line = f"#{me} {'oe'[which]} {counts[which] + 1:010d} {filling}\n".encode()
    try:
        os.write(which + 1, line)
    except OSError:
        return  # nobody reads any more: it is about to be ended
    counts[which] += 1
    note(0)


def note(code):
    ACCOUNT.pack_into(account, 0, *counts, code, began, time.time())


def end(code):
    note(code + 1)
    os._exit(code)


if address := os.environ.get("NOTIFY_SOCKET"):
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(b"READY=1", "\0" + address[1:] if address.startswith("@") else address)
os.write(1, b"ready\n")

lives_until, code = None, 0
if "crash" in words:
    place = words.index("crash")
    lives_until = time.monotonic() + 0.6 + random.expovariate(1 / float(words[place + 1]))
    code = int(words[place + 2])
turn = 0
while signal.sigtimedwait([signal.SIGTERM], 1 / rate) is None:
    turn += 1
    say(turn % 2 if "both" in words else 0)
    if lives_until is not None and time.monotonic() > lives_until:
        end(code)
if "slow" in words:
    for _ in range(5):
        say(0)
        time.sleep(0.1)
say(0)
end(0)
