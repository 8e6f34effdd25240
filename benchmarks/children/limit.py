"""Spawns, spawns again what ends, and passes SIGTERM on: the least a supervisor in Python can do."""

import json
import os
import signal
import sys

with open(sys.argv[1]) as file:
    grace_s, *commands = json.load(file)

running: dict[int, list[str]] = {}
stopping = False


def spawn(argv: list[str]) -> None:
    pid = os.posix_spawn(argv[0], argv, os.environ, setsid=True, setsigmask=())
    running[pid] = argv


def stop(number: int, _frame: object) -> None:
    global stopping
    stopping = True
    for pid in running:
        os.kill(pid, signal.SIGKILL if number == signal.SIGALRM else number)
    if number != signal.SIGALRM:
        signal.setitimer(signal.ITIMER_REAL, grace_s)  # 0: never


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGALRM, stop)
for command in commands:
    spawn(command)
while running:
    pid, _ = os.wait()
    command = running.pop(pid)
    if not stopping:
        spawn(command)
