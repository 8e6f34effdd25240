"""scatter.py WAY...: leaves one helper for each way to get out of sight, says `helper WAY PID` of each, then `ready`.

Ways: group (one of its own), session (setsid), fork (double fork, so that its parent is gone), closed (that, and its
output is closed), deaf (double fork, and it ignores SIGTERM), bare (closed, with an empty environment).
"""

import os
import signal
import sys

WAIT = "import signal\nprint\nwhile True: signal.pause()"


def helper(way: str) -> int:
    read_end, write_end = os.pipe()
    first = os.fork()
    if first:
        os.close(write_end)
        if way not in ("session", "group"):
            os.waitpid(first, 0)
        return int(os.read(read_end, 32))
    if way == "group":
        os.setpgid(0, 0)
    else:
        os.setsid()
    if way not in ("session", "group") and os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if way == "deaf" else signal.SIG_DFL)
    if way in ("closed", "bare"):
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
    os.write(write_end, str(os.getpid()).encode())
    if way == "bare":
        os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", WAIT], {})
    while True:
        signal.pause()


for each in sys.argv[1:]:
    print("helper", each, helper(each), flush=True)
print("ready", flush=True)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
while True:
    signal.pause()
