"""tree.py [MIB]: a tree of three processes that share so much memory, after a little work.

One child leads a session of its own; one has lost its parent but stays in our session. Says `child PID` and
`orphan PID`, then `ready`.
"""

import os
import signal
import sys
import time


def stay() -> None:
    while True:
        signal.pause()


held = b"x" * (int(sys.argv[1]) << 20) if len(sys.argv) > 1 else b""
until = time.process_time() + 0.05
while time.process_time() < until:
    pass
child = os.fork()
if child == 0:
    os.setsid()
    stay()
read_end, write_end = os.pipe()
middle = os.fork()
if middle == 0:
    orphan = os.fork()
    if orphan:
        os.write(write_end, str(orphan).encode())
        os._exit(0)
    stay()
os.waitpid(middle, 0)
print(f"child {child}")
print(f"orphan {os.read(read_end, 20).decode()}")
print("ready", flush=True)
stay()
