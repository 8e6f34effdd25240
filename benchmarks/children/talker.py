"""talker.py LINES: so many lines of 100 bytes a second, in ten pieces."""

import os
import sys
import time

piece = (b"x" * 99 + b"\n") * (int(sys.argv[1]) // 10)
due = time.monotonic()
while True:
    os.write(1, piece)
    due += 0.1
    time.sleep(max(due - time.monotonic(), 0))
