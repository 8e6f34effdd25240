"""notifier.py FIRST EVERY: sends FIRST to its NOTIFY_SOCKET, then a sign of life every EVERY seconds (0: none).

SIGUSR1 makes it ready, there and by a line on stdout. The address is printed at the start, as no good program would.
"""

import os
import signal
import socket
import sys
import time

address = os.environ.get("NOTIFY_SOCKET", "")


def say(text: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        if address:
            out.sendto(text.encode(), "\0" + address[1:])


def up(*_: object) -> None:
    say("READY=1")
    os.write(1, b"server is up\n")


signal.signal(signal.SIGUSR1, up)
print("address", address, flush=True)
if sys.argv[1]:
    say(sys.argv[1].replace(";", "\n"))
every = float(sys.argv[2])
while True:
    if every:
        say("WATCHDOG=1")
    time.sleep(every or 0.05)  # not pause(): a signal just before it would be noticed only by the next one
