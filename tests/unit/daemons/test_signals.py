"""What `start` makes of each signal there is."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from support.fakes import FakeClock

from supervisor.daemons import signals


class Rig:
    """The part of a loop that hears signals; what became of them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.calls: dict[int, Callable[[], None]] = {}
        self.stops: list[tuple[str, bool]] = []
        self.told: list[str] = []
        signals.take(self, self._stop, self.told.append)  # type: ignore[arg-type]

    def on_signal(self, number: int, call: Callable[[], None]) -> None:
        assert number not in self.calls
        self.calls[number] = call

    def _stop(self, by: str, now: bool) -> None:
        self.stops.append((by, now))


@pytest.mark.parametrize(
    ("number", "by", "now"),
    [
        (signal.SIGTERM, "SIGTERM", False),
        (signal.SIGINT, "SIGINT", False),
        (signal.SIGQUIT, "SIGQUIT", False),
        (signal.SIGPWR, "SIGPWR", False),
        (signal.SIGRTMIN + 3, "SIGRTMIN+3", False),
        (signal.SIGRTMIN + 6, "SIGRTMIN+6", False),
        (signal.SIGRTMIN + 13, "SIGRTMIN+13", True),
        (signal.SIGRTMIN + 16, "SIGRTMAX-14", True),
    ],
)
def test_what_ends_everything(number: int, by: str, now: bool) -> None:
    rig = Rig()
    rig.calls[number]()

    assert rig.stops == [(by, now)]
    assert rig.told == []


def test_all_others_are_told_and_change_nothing() -> None:
    rig = Rig()
    others = set(rig.calls) - set(signals.GRACEFULLY) - set(signals.AT_ONCE)
    for number in sorted(others):
        rig.calls[number]()

    assert rig.stops == []
    assert len(rig.told) == len(others)
    assert rig.told[0] == "SIGHUP ignored; sbctl reload takes over changed settings"
    assert "SIGUSR1 ignored; sbctl signal NAME USR1 sends it to a service" in rig.told


def test_a_thousand_of_them_are_told_once_a_second() -> None:
    rig = Rig()
    for _ in range(1000):
        rig.calls[signal.SIGUSR1]()
    rig.clock.time += 1.5
    rig.calls[signal.SIGUSR1]()

    assert len(rig.told) == 2


@pytest.mark.parametrize("pid", [1, 4242])
def test_none_is_forgotten(monkeypatch: pytest.MonkeyPatch, pid: int) -> None:
    """Ctrl-Z suspends one in a terminal; a first process would only seem to have ignored it."""
    monkeypatch.setattr(os, "getpid", lambda: pid)
    left = signal.valid_signals() - set(Rig().calls)

    assert left == signals.LEFT | (set() if pid == 1 else signals.OF_TERMINALS)
