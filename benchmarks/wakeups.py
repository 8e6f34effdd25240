"""How often processes wake up while nothing happens: by strace where it may be used, else as /proc counts it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from benchmarks import procs

WAITS = "epoll_wait,epoll_pwait,epoll_pwait2,poll,ppoll,select,pselect6"
ATTACH_S = 1.0
END_S = 10.0


def by_strace(pids: list[int], seconds: float, work: Path) -> dict[int, float] | None:
    """Returns from a wait of each a minute; None: there is no strace, or it may not look at them."""
    if shutil.which("strace") is None:
        return None
    files = {pid: work / f"strace-{pid}" for pid in pids}
    tracers = [_trace(pid, file) for pid, file in files.items()]
    time.sleep(ATTACH_S)  # to be attached to wakes nobody up
    try:
        if any(tracer.poll() is not None for tracer in tracers):
            return None
        time.sleep(seconds)
    finally:
        for tracer in tracers:
            tracer.send_signal(signal.SIGINT)  # it lets go, and writes down what it has counted
            tracer.wait(END_S)
    return {pid: waits_of(file) * 60 / (seconds + ATTACH_S) for pid, file in files.items()}


def _trace(pid: int, file: Path) -> subprocess.Popen[bytes]:
    argv = ["strace", "-f", "-c", "-q", "-e", f"trace={WAITS}", "-o", str(file), "-p", str(pid)]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def waits_of(file: Path) -> int:
    """The sum of its column `calls`. Only waits that have returned are counted: none for who slept all the time."""
    calls = 0
    for line in file.read_text().splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found and found[2] != "total":
            calls += int(found[1])
    return calls


def by_switches(pids: list[int], seconds: float) -> dict[int, float]:
    """Voluntary context switches of each a minute: each is a sleep, so a wake-up; those for locks and disks, too."""
    before = {pid: _voluntary(pid) for pid in pids}
    time.sleep(seconds)
    return {pid: (_voluntary(pid) - before[pid]) * 60 / seconds for pid in pids}


def _voluntary(pid: int) -> int:
    found = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        lines = procs.read(f"/proc/{pid}/task/{task}/status").splitlines()
        found += sum(int(line.split()[1]) for line in lines if line.startswith(b"voluntary_ctxt_switches"))
    return found
