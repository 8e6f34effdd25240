"""long_line.py MIB: says `ready`; at SIGUSR1 begins a line of that length, ends it with `\\nend\\n`, and stays."""

import os
import signal
import sys

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.write(1, b"ready\n")
signal.sigwait([signal.SIGUSR1])
piece = b"x" * (1 << 20)
for _ in range(int(sys.argv[1])):
    left = piece
    while left:
        left = left[os.write(1, left) :]
os.write(1, b"\nend\n")
while True:
    signal.pause()
