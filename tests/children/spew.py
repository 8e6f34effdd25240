"""spew.py COUNT RATE [LENGTH] [stay]: COUNT numbered lines, RATE a second (0: as fast as it goes).

COUNT 0 means for ever. Each line is its number in ten digits, filled up to LENGTH bytes (100) with its
line end, so that a lost or doubled line is seen by counting. Ends with 0, or with `stay` waits.
"""

import os
import signal
import sys
import time

count, rate = int(sys.argv[1]), float(sys.argv[2])
rest = sys.argv[3:]
length = int(rest[0]) if rest and rest[0] != "stay" else 100
print("ready", flush=True)

filling = "." * (length - 11) + "\n"
chunk = 1 if rate else 500
number = 0
began = time.monotonic()
while not count or number < count:
    lines = range(number, min(number + chunk, count) if count else number + chunk)
    data = "".join(f"{n:010d}{filling}" for n in lines).encode()
    while data:
        data = data[os.write(1, data) :]
    number = lines.stop
    if rate:
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
while "stay" in rest:
    signal.pause()
