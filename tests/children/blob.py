"""blob.py FILE [CODE]: writes the bytes of FILE, as they are, to stdout; then stays, or ends with CODE."""

import os
import signal
import sys

with open(sys.argv[1], "rb") as file:
    data = file.read()
while data:
    data = data[os.write(1, data) :]
if len(sys.argv) > 2:
    sys.exit(int(sys.argv[2]))
while True:
    signal.pause()
