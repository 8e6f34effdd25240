"""escape.py [bare]: leaves a helper outside its group and session, by double fork and setsid.

Says `helper PID`, then `ready`, and stays. With `bare` the helper has closed its output and runs with
an empty environment, so that nothing but its history tells whose it is.
"""

import os
import signal
import sys

WAIT = "import signal\nwhile True: signal.pause()"

read_end, write_end = os.pipe()
first = os.fork()
if first == 0:
    os.setsid()
    second = os.fork()
    if second:
        os._exit(0)
    os.write(write_end, f"{os.getpid()}\n".encode())
    if "bare" in sys.argv[1:]:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", WAIT], {})
    while True:
        signal.pause()
os.waitpid(first, 0)
print("helper", int(os.read(read_end, 32)), flush=True)
print("ready", flush=True)
while True:
    signal.pause()
