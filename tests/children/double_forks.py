"""double_forks.py COUNT: COUNT times a child that leaves a grandchild behind and ends; then `done`, and it stays.

The grandchildren end 0 to 0.2 s later, with nobody but process 1 (or a sub-reaper) to wait for them.
"""

import os
import signal
import sys
import time

for number in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            time.sleep(number % 20 / 100)
            os._exit(number % 256)
        os._exit(number % 256)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == number % 256, "somebody else's end"
print("done", flush=True)
signal.pause()
