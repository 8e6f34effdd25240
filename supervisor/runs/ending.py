"""Why a step has failed, in words that help: what is missing to start it, or which limit of its it has met.

The kernel tells of its limits only by what a program makes of them: a line that it says, or the signal that it dies of.
So that is told together with the limit, and whoever reads it may judge.
"""

from __future__ import annotations

from supervisor.core.pipeline import StepEnd
from supervisor.core.verdict import SETTINGS_ERROR, signal_name
from supervisor.core.words import last_line, settings_trouble, start_trouble
from supervisor.engine.kernel_limits import SETTINGS
from supervisor.model.limits import UNLIMITED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.engine.entries import Used
    from supervisor.model.launch import Launch

MIB = 1 << 20
BY_CODE = {126: "it can't be executed (exit code 126)", 127: "its program is not there (exit code 127)"}
# What programs say when the kernel refuses, in small letters.
SAID = {
    "as": ("memoryerror", "allocate memory", "bad_alloc", "out of memory", "outofmemory", "failed to map segment"),
    "nofile": ("too many open files",),
}
SIGNALS = {"as": ("SIGSEGV", "SIGABRT"), "cpu": ("SIGXCPU",), "fsize": ("SIGXFSZ",)}
BY_SIGNAL = 128  # and its number: so a shell passes on the end of its child


def explained(end: StepEnd, words: list[str], command: Launch | None, used: Used | None) -> StepEnd:
    """The same end with its cause, if there is one to be found in `words`, its last ones, or in its limits."""
    if end.ok or end.cause:
        return end
    rlimits = command.limits.rlimits if command is not None else {}
    limits = {name: pair[0] for name, pair in rlimits.items() if pair[0] != UNLIMITED}
    cause = _of_limit(end, words, limits, used) or _of_start(end.code, words)
    return StepEnd(end.code, signal=end.signal, cause=cause, metrics=end.metrics)


def _of_start(code: int | None, words: list[str]) -> str:
    line = last_line(words)
    complaint = settings_trouble(line) if code == SETTINGS_ERROR else None
    if complaint or code is None:
        return complaint or ""
    trouble = start_trouble(code, line)
    return trouble[1] if trouble else BY_CODE.get(code, "")


def _of_limit(end: StepEnd, words: list[str], limits: dict[str, int], used: Used | None) -> str:
    for name, marks in SAID.items():
        if name in limits:
            line = next((line for line in reversed(words) if any(mark in line.lower() for mark in marks)), "")
            if line:
                return f"{end.text}: {line.strip()} ({_setting(name, limits[name])})"
    signal = end.signal or signal_name((end.code or 0) - BY_SIGNAL)
    for name, signals in SIGNALS.items():
        if name in limits and signal in signals:
            return f"{end.text} ({_setting(name, limits[name])})"
    # What does not heed SIGXCPU is killed a second later.
    if signal == "SIGKILL" and used is not None and "cpu" in limits and used[0] >= limits["cpu"] * 1000:
        return f"{end.text}: {used[0] / 1000:.2f} s of processor time used ({_setting('cpu', limits['cpu'])})"
    return ""


def _setting(name: str, amount: int) -> str:
    """As the settings have it."""
    key = SETTINGS[name]
    return f"{key} is {amount / MIB if key.endswith('Mb') else amount:g}"
