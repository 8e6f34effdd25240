"""How often processes wake up while nothing happens: by strace where it may be used, else as /proc counts it."""

from __future__ import annotations

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


def by_strace(groups: list[list[int]], seconds: float, work: Path) -> list[float] | None:
    """Returns from a wait a minute, of each group of processes; None: there is no strace, or it may not look."""
    if shutil.which("strace") is None:
        return None
    files = [work / f"strace-{number}" for number in range(len(groups))]
    tracers = [_trace(pids, file) for pids, file in zip(groups, files, strict=True)]
    time.sleep(ATTACH_S)  # to be attached to wakes nobody up
    try:
        if any(tracer.poll() is not None for tracer in tracers):
            return None
        time.sleep(seconds)
    finally:
        for tracer in tracers:
            tracer.send_signal(signal.SIGINT)  # it lets go, and writes down what it has counted
            tracer.wait(END_S)
    return [waits_of(file) * 60 / (seconds + ATTACH_S) for file in files]


def _trace(pids: list[int], file: Path) -> subprocess.Popen[bytes]:
    which = [word for pid in pids for word in ("-p", str(pid))]
    argv = ["strace", "-f", "-c", "-q", "-e", f"trace={WAITS}", "-o", str(file), *which]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def waits_of(file: Path) -> int:
    """The sum of its column `calls`. Only waits that have returned are counted: none for who slept all the time."""
    calls = 0
    for line in file.read_text().splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found and found[2] != "total":
            calls += int(found[1])
    return calls


def by_switches(groups: list[list[int]], seconds: float) -> list[float]:
    """Voluntary context switches a minute: each is a sleep, so a wake-up; those for locks and disks, too."""
    before = [sum(map(_voluntary, pids)) for pids in groups]
    time.sleep(seconds)
    after = [sum(map(_voluntary, pids)) for pids in groups]
    return [(now - was) * 60 / seconds for was, now in zip(before, after, strict=True)]


def _voluntary(pid: int) -> int:
    found = 0
    for task in procs.tasks(pid):
        lines = procs.read(f"/proc/{pid}/task/{task}/status").splitlines()
        found += sum(int(line.split()[1]) for line in lines if line.startswith(b"voluntary_ctxt_switches"))
    return found
