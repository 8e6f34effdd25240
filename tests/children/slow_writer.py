"""slow_writer.py FILE SOURCE PAUSE: empties FILE and writes the bytes of SOURCE into it, one at a time; then ends."""

import os
import sys
import time

with open(sys.argv[2], "rb") as file:
    data = file.read()
out = os.open(sys.argv[1], os.O_WRONLY | os.O_TRUNC)
for number in range(len(data)):
    os.write(out, data[number : number + 1])
    time.sleep(float(sys.argv[3]))
