"""R24 R25 R26: signals at each moment of the start-up, two in a row, and a terminal that closes: a clean end, or none.

No child is left, no PID file, and a shutdown that has begun is final. SIGHUP alone ends nothing.
"""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator

import pytest
from support.children import child
from support.daemon import Daemon
from support.home import LAUNCHER, TemporaryHome
from support.waiting import eventually

from supervisor.base.errors import Problem

MOMENTS = range(0, 1001, 10)
QUICK = (0, 30, 60, 90, 110, 130, 150, 180, 220, 300, 500, 1000)
TRIES = 3
READY = 1  # a millisecond after it listens
TERM, INT, HUP, QUIT = signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT

Shot = tuple[float, int]  # seconds after the one before, signal


def prepare(daemon: Daemon) -> None:
    for number in range(4):
        daemon.home.add_plugin(f"server{number}", child("ready"))
    daemon.home.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 0.3})
    daemon.home.add_plugin("crasher", child("crash_after", 0, 1))
    assert daemon.compile()["ok"]


def fire(process: subprocess.Popen[bytes], shots: Iterable[Shot]) -> threading.Thread:
    waiting = threading.Event()

    def run() -> None:
        for after, number in shots:
            waiting.wait(after)
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def check_end(daemon: Daemon, process: subprocess.Popen[bytes], told: str) -> None:
    code = process.wait(10)
    assert code == 0 or code < 0, f"{code}: {told}\n{daemon.output()}"
    # Python's own first steps can't be guarded; from `main` on they are.
    assert "in main" not in daemon.output(), f"{told}\n{daemon.output()}"
    if code:  # before the first line of ours has run, the signal itself ends it; then there is nothing to tidy up
        assert not is_born(daemon), f"{code}: {told}"
    assert daemon.home.pids() == [], told
    assert list((daemon.home.path / "logs").rglob("*.pid")) == [], told
    assert list((daemon.home.path / "logs").rglob("*.sock")) == [], told


def is_born(daemon: Daemon) -> bool:
    """Has this `start` taken the lock and begun?"""
    log = daemon.home.path / "logs" / "start.log"
    return log.exists() and "start.began" in log.read_text()


def play(daemon: Daemon, moments: Iterable[int], *more: Shot, first: int) -> None:
    log, out = daemon.home.path / "logs" / "start.log", daemon.home.path / "logs" / "start.out"
    for moment in moments:
        for _ in range(TRIES):
            log.unlink(missing_ok=True)
            before = out.stat().st_size if out.exists() else 0
            process = daemon.launch()
            thread = fire(process, [(moment / 1000, first), *more])
            process.wait(10)
            thread.join()
            if b"Fatal Python error: init_" not in out.read_bytes()[before:]:
                break  # else Python gave up on its own first steps, of which nothing can be learned here
        check_end(daemon, process, f"{signal.Signals(first).name} {more} at {moment} ms")


@pytest.mark.parametrize("number", [TERM, INT, QUIT], ids=lambda number: signal.Signals(number).name)
def test_quick(daemon: Daemon, number: int) -> None:
    prepare(daemon)
    play(daemon, QUICK[::2] if number == TERM else QUICK[1::4], first=number)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [TERM, INT, QUIT], ids=lambda number: signal.Signals(number).name)
def test_every_ten_milliseconds(daemon: Daemon, number: int) -> None:
    prepare(daemon)
    play(daemon, MOMENTS, first=number)


PAIRS: dict[str, tuple[int, Shot]] = {
    "TERM HUP at once": (TERM, (0, HUP)),
    "TERM HUP": (TERM, (0.1, HUP)),
    "TERM TERM": (TERM, (0.05, TERM)),
    "INT INT at once": (INT, (0, INT)),
    "TERM INT": (TERM, (0.05, INT)),
}


@pytest.mark.slow
@pytest.mark.parametrize("pair", ["TERM HUP", "INT INT at once", "TERM TERM"])
def test_pairs_quick(daemon: Daemon, pair: str) -> None:
    prepare(daemon)
    first, second = PAIRS[pair]
    play(daemon, QUICK[1::3], second, first=first)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("pair", PAIRS)
def test_pairs_every_thirty_milliseconds(daemon: Daemon, pair: str) -> None:
    prepare(daemon)
    first, second = PAIRS[pair]
    play(daemon, MOMENTS[::3], second, first=first)


@pytest.mark.slow
def test_a_hang_up_while_starting_ends_nothing(daemon: Daemon) -> None:
    hang_up(daemon, QUICK[3::3])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hang_up_every_ten_milliseconds(daemon: Daemon) -> None:
    hang_up(daemon, MOMENTS)


def hang_up(daemon: Daemon, moments: Iterable[int]) -> None:
    """Then TERM, which counts as if nothing had been."""
    prepare(daemon)
    log = daemon.home.path / "logs" / "start.log"
    outlived = 0
    for moment in (*moments, READY):
        log.unlink(missing_ok=True)
        process = daemon.launch()
        if moment == READY:
            eventually(lambda: answers(daemon), 20)
        fire(process, [(moment / 1000, HUP), (0, HUP)]).join()
        eventually(lambda process=process: process.poll() is not None or answers(daemon), 20)  # type: ignore[misc]
        if process.poll() is None:
            outlived += 1
            daemon.settle()
            process.send_signal(TERM)
        check_end(daemon, process, f"HUP at {moment} ms")
    assert outlived
    assert "Traceback" not in daemon.output()


def answers(daemon: Daemon) -> bool:
    try:
        return bool(daemon.ask("start", "ping"))
    except Problem as problem:
        raise AssertionError(str(problem)) from None


# a terminal that closes


@pytest.mark.slow
def test_a_terminal_that_closes_while_it_starts(home: TemporaryHome) -> None:
    close_terminals(home, (0, 90, 200, 500))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_terminal_that_closes_every_ten_milliseconds(home: TemporaryHome) -> None:
    close_terminals(home, range(0, 501, 10))


def close_terminals(home: TemporaryHome, moments: Iterable[int]) -> None:
    """The command dies with its terminal, or has given its answer; a tree that has begun is whole and stays."""
    home.settings["config"] = {"enabled": False}
    home.write()
    home.add_plugin("web", child("ready"))
    assert home.sbctl("start").code == 0  # what it compiles counts for all rounds
    assert home.sbctl("stop").code == 0
    for moment in moments:
        with terminal(home) as close:
            threading.Event().wait(moment / 1000)
            close()
        eventually(lambda: not starting(home) or home.status()["state"] == "running", 15, f"{moment} ms")
        state = home.status()["state"]
        assert state in ("running", "stopped"), f"{state} at {moment} ms"
        if state == "running":
            eventually(lambda: {row["state"] for row in home.status()["services"]} == {"running"})
            pid = home.pid("start")
            assert pid is not None
            assert os.getsid(pid) == pid, "no terminal of the caller's can take it along"
        started = home.sbctl("start")
        assert started.code == 0, f"{moment} ms: {started}"
        assert started.out.startswith("already running" if state == "running" else "started"), f"{moment} ms: {started}"
        assert home.sbctl("stop").code == 0
        assert home.pids() == []


def starting(home: TemporaryHome) -> bool:
    """Something of it is alive."""
    return bool(home.pids())


@contextlib.contextmanager
def terminal(home: TemporaryHome) -> Iterator[Callable[[], None]]:
    """`sbctl start` as the leader of a session on a terminal of its own, which `close` takes away."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(home.path)
        os.execve(LAUNCHER, [str(LAUNCHER), "start"], home.environment())
    is_open = True

    def close() -> None:
        nonlocal is_open
        if is_open:
            is_open = False
            os.close(fd)

    try:
        yield close
    finally:
        close()
        os.waitpid(pid, 0)
