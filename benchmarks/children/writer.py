"""writer.py READY GATE BLOCKS: what is used where nothing can compile c/writer.c.

A block is 40 lines of 100 bytes.
"""

import os
import signal
import sys

block = b"".join(b"%02d " % number + b"x" * 96 + b"\n" for number in range(40))
os.close(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT))
gate = os.open(sys.argv[2], os.O_RDONLY)
for _ in range(int(sys.argv[3])):
    os.write(1, block)
signal.pause()
