"""R50: each exit code and each signal is told as it was, by the events and the history, for servers and for steps."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from support.daemon import Daemon
from support.scheduling import ENDED, Scheduling
from support.waiting import eventually

QUICK_CODES = (0, 1, 2, 77, 78, 125, 126, 127, 128, 137, 143, 254, 255)
# A signal that is ignored, stops, or is answered by the shell itself ends nobody.
HARMLESS = {signal.SIGCHLD, signal.SIGCONT, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
HARMLESS |= {signal.SIGURG, signal.SIGWINCH}
SIGNALS = sorted(signal.valid_signals() - HARMLESS - {32, 33})
QUICK_SIGNALS = [1, 2, 3, 6, 9, 11, 13, 15, 24, 31, 34, 64]


@pytest.fixture(autouse=True)
def no_cores() -> Iterator[None]:
    """Some of these signals would leave one in each plugin's folder."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def by_code(code: int) -> list[str]:
    return ["/bin/sh", "-c", f"exit {code}"]


def by_signal(number: int) -> list[str]:
    return ["/bin/sh", "-c", f"kill -{number} $$; sleep 5"]


def name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals between the two that have names, counted from the nearer
        low, high = number - signal.SIGRTMIN, signal.SIGRTMAX - number
        return f"SIGRTMIN+{low}" if low <= high else f"SIGRTMAX-{high}"


def test_a_sample(daemon: Daemon) -> None:
    servers(daemon, QUICK_CODES, QUICK_SIGNALS)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_all(daemon: Daemon) -> None:
    servers(daemon, range(256), SIGNALS)


def servers(daemon: Daemon, codes: Any, numbers: Any) -> None:
    expected: dict[str, tuple[int | None, str | None]] = {}
    for code in codes:
        expected[f"code{code}"] = (code, None)
        daemon.home.add_plugin(f"code{code}", by_code(code), restart="never")
    for number in numbers:
        expected[f"signal{number}"] = (None, name_of(number))
        daemon.home.add_plugin(f"signal{number}", by_signal(number), restart="never")
    assert daemon.compile()["ok"]
    daemon.launch()

    def all_told() -> bool:
        told = {event["service"] for event in daemon.home.events() if event["kind"] == "service.exited"}
        return told >= set(expected)

    eventually(all_told, 120, "each end is told")
    for event in daemon.home.events():
        if event["kind"] == "service.exited":
            code, name = expected[event["service"]]
            cause = event["data"]["cause"]
            assert cause["code"] == code, event
            assert (cause["signal"] or None) == name, event
            assert (cause["kind"] == "clean") is (code == 0), event
    for name, row in daemon.rows().items():
        if name in expected and row["exit"]:
            code, by = expected[name]
            assert row["exit"]["code"] == code, row
            assert bool(row["exit"]["signal"]) is (by is not None), row


def test_a_sample_of_steps(scheduling: Scheduling) -> None:
    steps(scheduling, (0, 1, 78, 127, 255), (2, 9, 11, 15))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_all_steps(scheduling: Scheduling) -> None:
    steps(scheduling, range(256), SIGNALS)


def steps(scheduling: Scheduling, codes: Any, numbers: Any) -> None:
    commands = {f"code{code}": by_code(code) for code in codes} | {f"signal{n}": by_signal(n) for n in numbers}
    for name, command in commands.items():
        scheduling.job(name, command)
    scheduling.start()
    runs = {name: scheduling.run(name) for name in commands}
    for name, run in runs.items():
        row = scheduling.ended(run, 60)
        assert row["state"] in ENDED
        step = row["steps"][0]
        assert (row["state"] == "succeeded") is (name == "code0"), row
        if name.startswith("code"):
            assert (step["exit_code"], step["signal"] or None) == (int(name.removeprefix("code")), None), step
        else:
            by = name_of(int(name.removeprefix("signal")))
            assert step["exit_code"] is None, step
            assert step["signal"] == by, step
