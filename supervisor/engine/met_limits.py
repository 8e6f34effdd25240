"""Which limit a process has met, if one of its limits explains its end.

The kernel tells of its limits only by what a program makes of them: a line that it says, or the signal that it dies of.
So that is told together with the limit, and whoever reads it may judge.
"""

from __future__ import annotations

from supervisor.core.verdict import signal_name
from supervisor.engine.kernel_limits import SETTINGS
from supervisor.model.limits import UNLIMITED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.engine.entries import Used
    from supervisor.model.launch import Launch

MIB = 1 << 20
# What programs say when the kernel refuses, in small letters.
SAID = {
    "as": ("memoryerror", "allocate memory", "bad_alloc", "out of memory", "outofmemory", "failed to map segment"),
    "nofile": ("too many open files",),
    "fsize": ("file too large",),
}
SIGNALS = {"as": ("SIGSEGV", "SIGABRT"), "cpu": ("SIGXCPU",), "fsize": ("SIGXFSZ",)}
# The kernel ends it by what it counts at its ticks, on a busy machine well before what it says was used.
NEARLY = 0.75
FEW_TICKS_S = 0.4  # a limit of one second is met after so many that chance decides
BY_SIGNAL = 128  # and its number: so a shell passes on the end of its child


def met_limit(
    how: str, code: int | None, signal: str, words: Sequence[str], command: Launch | None, used: Used | None
) -> str:
    """`how` it ended, what it said or used, and the limit that explains it; "": none does."""
    rlimits = command.limits.rlimits if command is not None else {}
    limits = {name: pair[0] for name, pair in rlimits.items() if pair[0] != UNLIMITED}
    for name, marks in SAID.items():
        if name in limits:
            line = next((line for line in reversed(words) if any(mark in line.lower() for mark in marks)), "")
            if line:
                return f"{how}: {line.strip()} ({_setting(name, limits[name])})"
    signal = signal or signal_name((code or 0) - BY_SIGNAL)
    for name, signals in SIGNALS.items():
        if name in limits and signal in signals:
            return f"{how} ({_setting(name, limits[name])})"
    # What does not heed SIGXCPU is killed a second later.
    if signal == "SIGKILL" and used is not None and "cpu" in limits and used[0] >= _nearly(limits["cpu"]) * 1000:
        return f"{how}: {used[0] / 1000:.2f} s of processor time used ({_setting('cpu', limits['cpu'])})"
    return ""


def _nearly(seconds: int) -> float:
    return min(seconds * NEARLY, seconds - FEW_TICKS_S)


def _setting(name: str, amount: int) -> str:
    """As the settings have it."""
    key = SETTINGS[name]
    return f"{key} is {amount / MIB if key.endswith('Mb') else amount:g}"
