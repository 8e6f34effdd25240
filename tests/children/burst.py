"""burst.py COUNT: at each SIGUSR1 writes COUNT numbered lines as fast as a pipe takes them; the next go on counting.

Lines of 100 bytes, as those of spew.py, made in advance. SIGTERM ends it with code 0, after a burst.
"""

import os
import signal
import sys

count = int(sys.argv[1])
heard = (signal.SIGUSR1, signal.SIGTERM)
signal.pthread_sigmask(signal.SIG_BLOCK, heard)
filling = "." * 89 + "\n"
number = 0


def following() -> memoryview:
    return memoryview("".join(f"{n:010d}{filling}" for n in range(number, number + count)).encode())


data = following()
print("ready", flush=True)
while signal.sigwait(heard) == signal.SIGUSR1:
    while data:
        data = data[os.write(1, data) :]
    number += count
    data = following()
