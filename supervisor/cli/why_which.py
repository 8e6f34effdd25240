"""What a name means that `sbctl why` is asked about: a service, a schedule, or one that is not in force (any more)."""

from __future__ import annotations

from supervisor.base.errors import NOT_RUNNING, USAGE, Problem
from supervisor.cli import past
from supervisor.cli.compiling import read_compiled
from supervisor.cli.names import known_services
from supervisor.cli.schedules import section, several
from supervisor.control.api import SCHEDULER, START, nearest, role_of, with_plugins
from supervisor.control.client import connect
from supervisor.model.schedule import Catalogue
from supervisor.model.service import SELF_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home

    Section = dict[str, Any]

NEW = "new"  # the files have it, and it was not there at the last start or reload
NOT_IN_FORCE = "not in force"  # the files have it, and the scheduler that runs does not
REMOVED = "removed"  # only the history has it


class Meaning:
    """`schedules` has it alone, as it was found; nothing where there is none of that name, or none any more."""

    __slots__ = ("id", "is_service", "schedule", "schedules", "standing")

    def __init__(self, id: str, schedules: Catalogue | None = None, *, is_service: bool = False, standing: str = ""):
        self.id = id
        self.schedules = schedules or Catalogue(None)
        self.schedule = self.schedules.schedules.get(id)
        self.is_service = is_service
        self.standing = standing


def meaning(home: Home, name: str) -> Meaning:
    """A plugin may be both; its name means its schedule too, where it has a single one and no server."""
    if role_of(name) == START:
        return Meaning(name, is_service=True)
    document = read_compiled(home, SCHEDULER) or {}
    is_service = any(service["name"].partition(":")[0] == name for service in document.get("services", ()))
    runs = _runs(home)
    found = _find(document.get("schedules") or {} if runs else _files(home), name, is_service=is_service)
    if found is not None:
        id = next(iter(found.schedules))
        is_new = not runs and not _find(document.get("schedules") or {}, id, is_service=is_service)
        return Meaning(id, found, is_service=is_service, standing=NEW if is_new else "")
    if not is_service:
        found = _find(_files(home), name, is_service=False) if runs else None
        if found is not None:
            return Meaning(next(iter(found.schedules)), found, standing=NOT_IN_FORCE)
        if _has_been(home, name):
            return Meaning(name, standing=REMOVED)
    return Meaning(name, is_service=is_service)


def unknown(home: Home, name: str) -> Problem:
    """Neither of both."""
    rows = ((read_compiled(home, SCHEDULER) or {}).get("schedules") or {}).get("schedules", ())
    names = sorted({*known_services(home), *(row["id"] for row in rows), SELF_NAME})
    close = nearest(name, with_plugins(names))
    some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    remedy = f"did you mean {close!r}?" if close else "sbctl status and sbctl schedule list show all"
    return Problem(f"no service or schedule {name[:80]!r}", why=f"known are: {some}", remedy=remedy, code=USAGE)


def _runs(home: Home) -> bool:
    """Is there a scheduler to ask, even if it does not answer?"""
    try:
        connect(home, SCHEDULER).close()
    except Problem as problem:
        return problem.code != NOT_RUNNING
    return True


def _files(home: Home) -> Section:
    """As they have it now; as it was compiled last where they have errors."""
    try:
        return section(home)
    except Problem:
        return (read_compiled(home, SCHEDULER) or {}).get("schedules") or {}


def _find(found: Section, name: str, *, is_service: bool) -> Catalogue | None:
    """With that one alone."""
    rows = [row for row in found.get("schedules", ()) if row["id"] == name]
    if not rows and not is_service:
        rows = [row for row in found.get("schedules", ()) if row["plugin"] == name]
    if len(rows) > 1:
        raise several(name, [row["id"] for row in rows])
    return Catalogue({**found, "schedules": rows}) if rows else None


def _has_been(home: Home, name: str) -> bool:
    try:
        return bool(past.slots(home, name, limit=1) or past.runs_of(home, name, limit=1))
    except Problem:
        return False
