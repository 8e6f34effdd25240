"""In which zone times of schedules are shown and read: of one in its own, of several in that of this machine."""

from __future__ import annotations

import re

from supervisor.base.errors import Problem
from supervisor.cli.compiling import read_compiled
from supervisor.cli.schedules import section
from supervisor.cli.times import parse_iso
from supervisor.cli.zones import minute, zone_named
from supervisor.control.api import SCHEDULER
from supervisor.core.names import matching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from supervisor.core.zone import Zone
    from supervisor.model.home import Home

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC")  # as base/clock.py writes it


def zone_of(home: Home, words: Sequence[str], also: Iterable[str] = ()) -> Zone:
    """Of what these words mean, which are all schedules without any; `also`: ids that are shown besides."""
    found = _compiled(home)
    zones = {row["id"]: str(row.get("zone") or found.get("zone") or "") for row in found.get("schedules", ())}
    owners = {row["id"]: str(row["plugin"]) for row in found.get("schedules", ())}
    ids = {*also, *(id for word in words for id in _meant(word, owners))} if words else {*also, *owners}
    return zone_named(zones.get(ids.pop(), "") if len(ids) == 1 else "")


def _compiled(home: Home) -> dict[str, Any]:
    """As they were compiled last; as the files have them where that was never done."""
    document = read_compiled(home, SCHEDULER)
    if document is not None:
        return document.get("schedules") or {}
    try:
        return section(home)
    except Problem:
        return {}


def _meant(word: str, owners: dict[str, str]) -> list[str]:
    return [word] if word in owners else matching(word, owners)


def told(text: str, its: Zone, now: float) -> str:
    """A sentence of the scheduler's, which knows no reader and writes all times in UTC."""

    def moved(found: re.Match[str]) -> str:
        at = parse_iso(f"{found[1]}T{found[2]}Z")
        return found[0] if at is None else minute(at, its, now)

    return _STAMP.sub(moved, text)
