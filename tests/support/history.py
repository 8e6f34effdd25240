"""A history under a real loop, with its real thread and file; and rows put into one without either."""

from __future__ import annotations

import _sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from supervisor.base.clock import SystemClock
from supervisor.base.loop import Loop
from supervisor.store.database import open_writer
from supervisor.store.making import Maker
from supervisor.store.rows import Loaded, RunRow, SlotRow
from supervisor.store.writer import Writer
from supervisor.store.writes import Write, apply
from support.waiting import eventually

AT = 1_700_000_000  # s


class History:
    """What a scheduler does with it, call by call; turns its loop only while a test waits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.errors: list[BaseException] = []
        self.troubles: list[str] = []
        self.recovered: list[tuple[str, int]] = []
        clock = SystemClock()
        self.loop = Loop(clock, self.errors.append)
        self.writer = Writer(
            self.loop,
            str(path),
            on_trouble=self.troubles.append,
            on_recovered=lambda text, dropped: self.recovered.append((text, dropped)),
            report=self.errors.append,
            clock=clock,
        )

    def claim(self, schedule: str, nominal: int = AT, run: str = "") -> list[bool]:
        """The answers, of which there is one, later."""
        answers: list[bool] = []
        row = RunRow(run or f"{schedule}-{nominal}", schedule, plugin=schedule, nominal=nominal)
        assert self.writer.claim([SlotRow(schedule, nominal)], row, answers.append)
        return answers

    def until(self, fact: Callable[[], Any], timeout: float = 10.0) -> None:
        def turned() -> bool:
            self.loop.turn(0)
            return bool(fact())

        eventually(turned, timeout)

    def settle(self) -> None:
        """All is written that was asked for."""
        self.until(lambda: not self.writer.queued)

    def load(self, *asked: str) -> Loaded:
        loaded: list[Loaded] = []
        self.writer.load(loaded.append, list(asked))
        self.until(lambda: loaded)
        return loaded[0]

    def turn(self) -> None:
        """One turn of the scheduler: what was asked for in it is handed over."""
        self.loop.turn(0)

    def end(self) -> None:
        self.writer.close(2.0)
        self.loop.close()


@contextmanager
def opened(path: Path) -> Iterator[_sqlite3.Connection]:
    db = open_writer(str(path), 0.0)
    try:
        yield db
    finally:
        db.close()


def put(path: Path, make: Callable[[Maker], Iterator[Write]]) -> None:
    """Write all of it in one transaction, in this thread."""
    maker = Maker(SystemClock(), _raise)
    with opened(path) as db:
        db.execute("BEGIN IMMEDIATE")
        for write in make(maker):
            apply(db, write)
        db.execute("COMMIT")


def put_runs(
    path: Path, schedule: str, states: list[str], *, start: int = AT, every: int = 60, took: int = 1000
) -> None:
    """One after the other, each with its slot and one step; ids `SCHEDULE-N`."""

    def make(maker: Maker) -> Iterator[Write]:
        for number, state in enumerate(states):
            nominal = start + number * every
            run, ms = f"{schedule}-{number}", nominal * 1000
            row = RunRow(run, schedule, plugin=schedule, nominal=nominal, claimed=ms, started=ms, state="running")
            yield maker.claim([SlotRow(schedule, nominal, decided=ms)], row, _ignore)
            if state != "running":
                yield maker.end(run, {"state": state, "ended": ms + took}, None)

    put(path, make)


def query(path: Path, statement: str, *values: object) -> list[Any]:
    """Straight from the file, by a connection of its own."""
    db = _sqlite3.connect(str(path), isolation_level=None)
    try:
        return db.execute(statement, values).fetchall()
    finally:
        db.close()


def _ignore(_: bool) -> None:
    return


def _raise(error: BaseException) -> None:
    raise error
