"""hog.py MIB: says `ready`; after a line on stdin (or at once, when there is none to come) takes so much memory."""

import sys

print("ready", flush=True)
sys.stdin.readline()
held = []
for _ in range(int(sys.argv[1])):
    held.append(b"x" * (1 << 20))
print("has it", flush=True)
sys.stdin.readline()
