"""Copies of a history with what waits for it, and how far slots have been looked at in one."""

from __future__ import annotations

import _sqlite3
import contextlib
import time

from supervisor.base.clock import SystemClock
from supervisor.base.errors import Problem
from supervisor.base.files import look_at
from supervisor.model.run import LIVE, RunState, Skip
from supervisor.store.asking import problem
from supervisor.store.backup import copy
from supervisor.store.database import open_reader, open_writer
from supervisor.store.each import apply_each
from supervisor.store.loading import load, load_with
from supervisor.store.making import Maker
from supervisor.store.rows import RUN_NUMBERS, RUN_TEXTS
from supervisor.store.schema import migrate
from supervisor.store.spool import SUFFIX, left
from supervisor.store.statements import rows_as_dicts
from supervisor.store.trouble import Trouble
from supervisor.store.writes import apply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from collections.abc import Iterator
    from typing import Any

    from supervisor.store.writes import Write

TRIES = 3
THEN = "it had not ended when the backup was made"
OF_RUN = RUN_NUMBERS | RUN_TEXTS


def cursors(path: str) -> dict[str, int]:
    """By schedule, in seconds, with what waits for it; none without a history that can be read."""
    waiting = left(path)
    try:
        db = open_reader(path)
    except (OSError, _sqlite3.Error, Trouble):
        return _of_waiting(waiting)
    try:
        return load_with(db, waiting).cursors if waiting else load(db).cursors
    except (_sqlite3.Error, Problem):
        return _of_waiting(waiting)
    finally:
        db.close()


def _of_waiting(waiting: list[Write]) -> dict[str, int]:
    db = _sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(db)
        return load_with(db, waiting).cursors
    finally:
        db.close()


def whole_copy(path: str, target: str) -> bool:
    """With what waits for it, as far as that can be seen. False: there is neither.

    What waits is gone once it is written, so the copy may be of a moment before that and miss it: then once more.
    """
    for _ in range(TRIES):
        _, before = look_at(path + SUFFIX)
        is_there = copy(path, target)
        waiting = left(path)
        if look_at(path + SUFFIX)[1] == before:
            break
    if waiting:
        with _changed(target) as db:
            apply_each(db, waiting)
    return is_there or bool(waiting)


def set_cursors(path: str, wanted: dict[str, int]) -> None:
    """In a copy that nobody else has open."""
    with _changed(path) as db:
        statement = "INSERT INTO schedules (id, cursor) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET cursor = ?2"
        db.executemany(statement, sorted(wanted.items()))


def end_live(path: str, present: str) -> None:
    """In such a copy: what had not ended when it was made has ended since, and does not begin again.

    As the history of now has it. Where that knows nothing of it, what ran is lost, and what waited has missed its time.
    """
    with _changed(path) as db:
        live = db.execute(f"SELECT id, state FROM runs WHERE state IN ({','.join('?' * len(LIVE))})", LIVE).fetchall()
        known = _rows_of(present, [id for id, _ in live])
        make = Maker(SystemClock(), report=_raise)
        for id, state in live:
            row = known.get(id)
            if row is not None and row["ended"] is None:
                continue  # it is still to be looked after
            if row is not None:
                write = make.end(id, {name: value for name, value in row.items() if name in OF_RUN}, None)
            elif state == RunState.RUNNING:
                write = make.end(id, {"state": RunState.LOST.value, "cause": THEN}, None)
            else:
                write = make.release(id, {"reason": Skip.MISSED.value, "note": THEN})
            apply(db, write)


def _rows_of(path: str, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Those of these runs that it has; none, where it can't be read."""
    try:
        db = open_reader(path)
    except (OSError, _sqlite3.Error, Trouble):
        return {}
    try:
        found = [rows_as_dicts(db, "SELECT * FROM runs WHERE id = ?", (id,)) for id in ids]
    except (_sqlite3.Error, Trouble):
        return {}
    finally:
        db.close()
    return {row["id"]: row for rows in found for row in rows}


def _raise(error: BaseException) -> None:
    raise error


@contextlib.contextmanager
def _changed(path: str) -> Iterator[Connection]:
    """One transaction in it."""
    try:
        db = open_writer(path, time.time())
    except Trouble as error:
        raise problem(path, error) from None
    try:
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = DELETE").fetchone()  # one file, without others beside it
    except (_sqlite3.Error, Trouble) as error:
        raise problem(path, error) from None
    finally:
        db.close()
