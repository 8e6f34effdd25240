"""What a daemon tells, for `sbctl logs start` and `sbctl logs scheduler`: its events, as lines with their times."""

from __future__ import annotations

import json
import sys

from supervisor.base.clock import stamp
from supervisor.cli.lines import Splitter
from supervisor.cli.sources import RawSource
from supervisor.cli.times import parse_iso
from supervisor.model.rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOOK_BACK = 20  # lines of a shared file for each line that is asked for: most are told by somebody else
LEAST = 5000


class DaemonSource(RawSource):
    """A file of events, one JSON object a line; only those that `teller` has told, when one is given."""

    def __init__(self, label: str, path: str, teller: str = "") -> None:
        super().__init__(label, path)
        self._teller = teller
        self._splitter = Splitter()

    def history(self, count: int) -> Iterator[bytes]:
        if count <= 0:
            yield from super().history(0)
            return
        wide = count if not self._teller else min(max(count * LOOK_BACK, LEAST), sys.maxsize)
        yield from list(self._lines(super().history(wide)))[-count:]

    def news(self) -> Iterator[bytes]:
        return self._lines(super().news())

    def _lines(self, data: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in data:
            for line in self._splitter.feed(chunk):
                text = self._told(line)
                if text:
                    yield text.encode("utf-8", "backslashreplace") + b"\n"

    def _told(self, line: bytes) -> str:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):  # torn by a crash, or not ours
            return ""
        if not isinstance(record, dict) or (self._teller and record.get("source") != self._teller):
            return ""
        at = parse_iso(record.get("at"))
        when = f"[{stamp(at)}] " if at is not None else ""
        return f"{when}{clean(str(record.get('text', '')))}"
