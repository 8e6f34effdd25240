"""A run of the benchmarks leaves nothing running, however it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import eventually

from benchmarks import procs
from benchmarks.peers.tree import Tree
from benchmarks.subject import Services

ROOT = Path(__file__).resolve().parents[2]

# Daemons as pm2 makes them (detached), deaf, and with children that they replace. Interrupted while it ends them.
STUBBORN = """
import os, signal, sys
from benchmarks import procs
from benchmarks.peers.tree import Tree
from benchmarks.subject import Services

DAEMON = "trap '' TERM HUP INT; for i in 1 2 3; do sleep 10; done"
procs.adopt_orphans()
try:
    for _ in range(3):
        os.system(f"setsid /bin/sh -c \\"{DAEMON}\\" & setsid /bin/sh -c \\"(exec sleep 30) & {DAEMON}\\" &")
    procs.wait_for("them", lambda: len(procs.descendants([os.getpid()])) >= 16, 10)
    print(*procs.descendants([os.getpid()]) - {os.getpid()}, flush=True)
    plain = procs.reap

    def reap():
        os.kill(os.getpid(), signal.SIGINT)
        plain()

    procs.reap = reap
finally:
    procs.end_everything()
"""


@contextlib.contextmanager
def running(argv: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Its output is in the file `output`: pipes would be held by what it may leave behind."""
    temporary = folder / "temporary"
    temporary.mkdir()
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            argv, cwd=ROOT, env={**os.environ, "TMPDIR": str(temporary)}, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        procs.kill(procs.descendants([process.pid]) | {process.pid})
        process.wait(10)


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if procs.is_alive(pid)}


def test_detached_and_deaf_daemons_end_with_it_and_a_second_interrupt_waits_for_that(tmp_path: Path) -> None:
    with running([sys.executable, "-c", STUBBORN], tmp_path) as process:
        process.wait(20)
        lines = (tmp_path / "output").read_text().splitlines()
        pids = {int(word) for word in lines[0].split()}
        left = alive(pids)
        procs.kill(left)
        assert len(pids) == 15
        assert left == set()
        assert lines[-1] == "KeyboardInterrupt"  # it came, and later


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM], ids=lambda number: number.name
)
def test_a_signal_amid_a_measurement_leaves_neither_a_process_nor_a_file(
    tmp_path: Path, number: signal.Signals
) -> None:
    argv = [sys.executable, "-m", "benchmarks", "--only", "start", "--n", "4", "--quick", "--no-peers"]
    with running(argv, tmp_path) as process:
        eventually(lambda: "round 0" in (tmp_path / "output").read_text(), 20)
        pids = eventually(lambda: below(process) if len(below(process)) > 4 else None)
        process.send_signal(number)
        code = process.wait(20)
        left = alive(pids)
        procs.kill(left)
        assert code == 128 + number
        assert left == set()
        assert list((tmp_path / "temporary").iterdir()) == []


def below(process: subprocess.Popen[bytes]) -> set[int]:
    return procs.descendants([process.pid]) - {process.pid}


class Loggers(Tree):
    """A shell with two processes, who may be loggers."""

    name = "loggers"
    letter = "9"
    own = frozenset({b"sh", b"sleep"})

    def write(self, services: Services) -> None:
        pass

    def command(self) -> list[str]:
        return ["/bin/sh", "-c", "sleep 30 & sleep 30 & wait"]


def test_a_peer_whose_loggers_do_not_run_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.peers.tree.START_S", 0.3)
    subject = Loggers(tmp_path, "mark")
    try:
        for count, is_fine in ((2, True), (3, False)):
            subject.prepare("x", {str(number): [] for number in range(count)})
            subject.launch()
            with contextlib.nullcontext() if is_fine else pytest.raises(procs.TookTooLong, match="4 processes of its"):
                subject.settle()
            subject.end()
    finally:
        subject.end()


def test_a_peer_that_ends_instead_of_starting_is_said_at_once_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "echo first; echo 'no such option' >&2; exit 3"
    monkeypatch.setattr(Loggers, "command", lambda _: ["/bin/sh", "-c", script])
    subject = Loggers(tmp_path, "mark")
    subject.prepare("x", {})
    with pytest.raises(procs.TookTooLong, match=r"^loggers ended with 3: no such option$"):
        subject.start(1)
