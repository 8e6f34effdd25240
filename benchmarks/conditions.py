"""The machine, and what else it did while something was measured: load, stolen time, the pace of bare Python."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from supervisor import __version__

ROOT = Path(__file__).resolve().parents[1]
CODE = ("supervisor", "bin")  # what of the checkout is measured
STARTS = 12


def machine() -> dict[str, Any]:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "version": __version__,
        "commit": commit(),
    }


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def commit() -> str:
    """The checkout's, and whether its code differs from that; empty where there is no git."""
    head = _git("rev-parse", "--short=10", "HEAD")
    return f"{head} and changes" if head and _git("status", "--porcelain", "--", *CODE) else head


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


class Ticks:
    """The processor time of all cores since the boot, from /proc/stat, and of us and all whom we waited for."""

    def __init__(self, stat: str, own: float) -> None:
        # user nice system idle iowait irq softirq steal; the guests' is within user's
        words = [int(word) for word in stat.split()[1:9]]
        self.total = sum(words)
        self.steal = words[7]
        self.busy = self.total - words[3] - words[4] - self.steal
        self.own = own  # in ticks too

    @classmethod
    def now(cls) -> Ticks:
        usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        own = sum(usage.ru_utime + usage.ru_stime for usage in usages)
        with open("/proc/stat", encoding="ascii") as file:
            return cls(file.readline(), own * os.sysconf("SC_CLK_TCK"))

    def since(self, before: Ticks) -> dict[str, float]:
        """Of all cores' time since then, in percent: what the host took away, and what other processes used."""
        total = max(self.total - before.total, 1)
        others = (self.busy - before.busy) - (self.own - before.own)
        stolen = (self.steal - before.steal) * 100 / total
        return {"stolen_percent": round(stolen, 1), "others_percent": round(max(others, 0) * 100 / total, 1)}


def bare_python() -> list[float]:
    """Milliseconds that a bare Python takes to start and end, some times: the pace of this machine now."""
    argv, took = [sys.executable, "-I", "-S", "-c", "pass"], []
    for _ in range(STARTS):
        began = time.perf_counter()
        os.waitpid(os.posix_spawn(argv[0], argv, os.environ), 0)
        took.append((time.perf_counter() - began) * 1000)
    return took


class Watch:
    """From its making until `facts`: the conditions of one part of a run."""

    def __init__(self) -> None:
        self.when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._load = os.getloadavg()[0]
        self._pace = bare_python()
        self._ticks = Ticks.now()
        self._began = time.monotonic()

    def facts(self) -> dict[str, Any]:
        took = time.monotonic() - self._began
        used = Ticks.now().since(self._ticks)
        pace = statistics.median(self._pace + bare_python())
        load = {"load_before": round(self._load, 2), "load_after": round(os.getloadavg()[0], 2)}
        return {"seconds": round(took, 1), **load, **used, "bare_python_ms": round(pace, 2)}
