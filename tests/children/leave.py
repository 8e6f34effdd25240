"""leave.py CODE: ready, stays; SIGUSR1 ends it with that code, SIGTERM with 0."""

import os
import signal
import sys

code = int(sys.argv[1])
signal.signal(signal.SIGUSR1, lambda *_: os._exit(code))
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print("ready", flush=True)
while True:
    signal.pause()
