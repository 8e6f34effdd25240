"""The least for commands that are due at once: a bare posix_spawn loop, and a wait for each. Prints seconds."""

import os
import sys
import time

count, argv = int(sys.argv[1]), sys.argv[2:]
began = time.perf_counter()
for _ in range(count):
    os.posix_spawn(argv[0], argv, os.environ)
for _ in range(count):
    os.wait()
print(time.perf_counter() - began)
