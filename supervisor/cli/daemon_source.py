"""What a daemon tells, for `sbctl logs start` and `sbctl logs scheduler`: its events, as lines with their times."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection

from supervisor.cli.sources import ALL, EVENT, Line, Range, RawSource
from supervisor.cli.times import parse_iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOOK_BACK = 20  # lines of a shared file for each line that is asked for: most are told by somebody else
LEAST = 5000


class EventSource(RawSource):
    """A file of events, one JSON object a line: those that `teller` has told, or that are about `services`."""

    def __init__(self, label: str, path: str, *, teller: str = "", services: Collection[str] = ()) -> None:
        super().__init__(label, path, EVENT)
        self._teller = teller
        self._services = services

    def lines(self, wanted: Range, *, follow: bool) -> Iterator[Line]:
        shared = self._teller or self._services
        wide = wanted.count if not shared else min(max(wanted.count * LOOK_BACK, LEAST), ALL)
        if not wanted.count:
            wide = 0
        # Each has its time in itself, so the file's index is of no use (and it has none).
        told = self._told(super().lines(Range(ALL if wanted.is_timed else wide), follow=follow))
        lines = (line for line in told if wanted.since <= line.at <= wanted.until)
        return iter(deque(lines, min(wanted.count, ALL))) if wanted.count else iter(())

    def news(self, now: float) -> Iterator[Line]:
        return self._told(super().news(now))

    def _told(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            try:
                record = json.loads(line.text)
            except (ValueError, RecursionError):  # torn by a crash, or not ours
                continue
            if not isinstance(record, dict) or (self._teller and record.get("source") != self._teller):
                continue
            if self._services and record.get("service") not in self._services:
                continue
            at = parse_iso(record.get("at"))
            text = str(record.get("text", "")).encode("utf-8", "backslashreplace").replace(b"\n", b" ")
            yield line._replace(at=line.at if at is None else at, text=text)
