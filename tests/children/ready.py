"""ready.py [SECONDS]: ready after that time, on stdout and to NOTIFY_SOCKET when there is one; then stays.

A good service: SIGTERM ends it with code 0.
"""

import os
import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b"bye\n"), os._exit(0)))
if len(sys.argv) > 1:
    time.sleep(float(sys.argv[1]))
if address := os.environ.get("NOTIFY_SOCKET"):
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(b"READY=1", "\0" + address[1:] if address.startswith("@") else address)
print("ready", flush=True)
while True:
    signal.pause()
