"""hog.py MIB: says `ready`; after a line on stdin (or at once, when none can come) takes so much memory, and stays."""

import signal
import sys

print("ready", flush=True)
sys.stdin.readline()
held = []
for _ in range(int(sys.argv[1])):
    held.append(b"x" * (1 << 20))
print("has it", flush=True)
while True:
    signal.pause()
