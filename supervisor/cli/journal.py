"""What has been added to the journal since the last look, over rotation and restarts of the one who writes it.

Read from the file and not from the scheduler: so it works while that is away, and misses nothing.
"""

from __future__ import annotations

from typing import Any

from supervisor.base.files import look_at
from supervisor.events import reading

BATCH = 1000

Record = dict[str, Any]


class JournalNews:
    """Events after a number; without one, those after the newest there is now."""

    def __init__(self, path: str, after: str = "") -> None:
        self._path = path
        self._mark = after or _newest(path)
        self._seen: tuple[int, int] | None = None

    def read(self) -> list[Record]:
        """The new events, oldest first. Costs one stat while nothing happens."""
        now = look_at(self._path)
        if now == self._seen:
            return []
        self._seen = now
        found: list[Record] = []
        while batch := reading.read_since(self._path, self._mark, BATCH):
            found += batch
            self._mark = str(batch[-1]["seq"])
        return found


def _newest(path: str) -> str:
    newest = reading.last(path, 1)
    return str(newest[0].get("seq", "")) if newest else ""
