"""Which signals `start` heeds. As the first process of a container it gets what the runtime sends, and the kernel takes
no default action for it: what it does not handle is as if it had not been sent. So it handles all.

    TERM         docker, podman, kubernetes, systemd          gracefully; again: at once
    INT QUIT     Ctrl-C and Ctrl-\\, Nomad, lxc at a reboot     the same
    PWR          lxc                                          the same
    RTMIN+3..6   systemd-nspawn, podman with systemd inside   the same (halt, power off, reboot, kexec)
    RTMIN+13..16 the same, at once                            at once

All others concern nobody: a server gets its signals by `sbctl signal`, for which of them should one sent to us be?
"""

from __future__ import annotations

import os
import signal

from supervisor.core.verdict import RTMIN, signal_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop

GRACEFULLY = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGPWR, *range(RTMIN + 3, RTMIN + 7))
AT_ONCE = tuple(range(RTMIN + 13, RTMIN + 17))
# What the kernel sends for a defect of our own (its default action ends the first process too), what can't be handled,
# and what does nothing by itself.
LEFT = {
    signal.SIGABRT, signal.SIGBUS, signal.SIGCHLD, signal.SIGCONT, signal.SIGFPE, signal.SIGILL, signal.SIGKILL,
    signal.SIGPIPE, signal.SIGSEGV, signal.SIGSTOP, signal.SIGSYS, signal.SIGTRAP, signal.SIGURG, signal.SIGWINCH,
    signal.SIGXFSZ,
}  # fmt: skip
OF_TERMINALS = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}  # Ctrl-Z in the foreground is a person's right
HINTS: dict[int, str] = {signal.SIGHUP: "sbctl reload takes over changed settings"}
QUIET_S = 1.0  # after one that was ignored


def take(loop: Loop, stop: Callable[[str, bool], None], ignored: Callable[[str], None]) -> None:
    """`stop`: by what, and whether at once; `ignored`: in words."""
    heeded = (*GRACEFULLY, *AT_ONCE)
    for number in heeded:
        name = signal_name(number)
        loop.on_signal(number, lambda name=name, now=number in AT_ONCE: stop(name, now))  # type: ignore[misc]
    left = LEFT if os.getpid() == 1 else LEFT | OF_TERMINALS
    for number in sorted(signal.valid_signals() - left - set(heeded)):
        loop.on_signal(number, _Ignored(loop, number, ignored))


class _Ignored:
    """Told, but not each of a thousand."""

    __slots__ = ("_ignored", "_loop", "_number", "_quiet_until")

    def __init__(self, loop: Loop, number: int, ignored: Callable[[str], None]) -> None:
        self._loop = loop
        self._number = number
        self._ignored = ignored
        self._quiet_until = 0.0

    def __call__(self) -> None:
        now = self._loop.clock.now()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_S
            name = signal_name(self._number)
            hint = HINTS.get(self._number, f"sbctl signal NAME {name.removeprefix('SIG')} sends it to a service")
            self._ignored(f"{name} ignored; {hint}")
