"""The history, held by another program for a while."""

from __future__ import annotations

import sqlite3


class Lock:
    """As a backup or a careless person would take it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None

    def take(self, *, alone: bool = False) -> None:
        """`alone`: nobody can read it either; only while nobody has it open."""
        self._db = sqlite3.connect(self._path, isolation_level=None, timeout=20)
        if alone:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("BEGIN EXCLUSIVE" if alone else "BEGIN IMMEDIATE")

    def give_back(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
