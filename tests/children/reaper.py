"""reaper.py: the first process of a PID namespace: says `ready`, and reaps whoever comes to it."""

import os
import signal

signal.signal(signal.SIGCHLD, lambda *_: None)
print("ready", flush=True)
while True:
    signal.sigtimedwait({signal.SIGCHLD}, 1)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
