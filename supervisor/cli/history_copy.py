"""How far slots have been looked at, in the history of a home and in a copy that is to take its place."""

from __future__ import annotations

import _sqlite3
import time

from supervisor.base.errors import Problem
from supervisor.store.asking import problem
from supervisor.store.database import open_reader, open_writer
from supervisor.store.loading import load
from supervisor.store.trouble import Trouble


def cursors(path: str) -> dict[str, int]:
    """By schedule, in seconds; none without a history that can be read."""
    try:
        db = open_reader(path)
    except (OSError, _sqlite3.Error, Trouble):
        return {}
    try:
        return load(db).cursors
    except (_sqlite3.Error, Problem):
        return {}
    finally:
        db.close()


def set_cursors(path: str, wanted: dict[str, int]) -> None:
    """In a copy that nobody else has open."""
    try:
        db = open_writer(path, time.time())
    except Trouble as error:
        raise problem(path, error) from None
    try:
        statement = "INSERT INTO schedules (id, cursor) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET cursor = ?2"
        db.execute("BEGIN IMMEDIATE")
        db.executemany(statement, sorted(wanted.items()))
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = DELETE").fetchone()  # one file, without others beside it
    except _sqlite3.Error as error:
        raise problem(path, error) from None
    finally:
        db.close()
