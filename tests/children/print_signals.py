"""print_signals.py [stay]: prints the name of every signal it gets; TERM and INT end it, unless it is to stay."""

import os
import signal
import sys

NAMES = {member.value: member.name for member in signal.Signals}


def note(number: int, _: object) -> None:
    os.write(1, f"got {NAMES.get(number, number)}\n".encode())
    if number in (signal.SIGTERM, signal.SIGINT) and "stay" not in sys.argv[1:]:
        os._exit(0)


for each in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
    signal.signal(each, note)
print(f"ready (pid: {os.getpid()})", flush=True)
while True:
    signal.pause()
