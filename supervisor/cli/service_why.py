"""What is known of why services are as they are: from the daemon that has them, else from the journal and `start`."""

from __future__ import annotations

from supervisor.base.errors import NOT_RUNNING, TIMED_OUT, USAGE, Problem
from supervisor.cli.ended import with_told_by_start
from supervisor.cli.names import check_name, known_services
from supervisor.cli.names import meant as services_meant
from supervisor.cli.out import note
from supervisor.cli.story import from_journal
from supervisor.cli.why_which import unknown
from supervisor.control.api import SCHEDULER, role_of
from supervisor.control.client import connect
from supervisor.control.status import build_status
from supervisor.events import reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.why_which import Meaning
    from supervisor.model.home import Home

    Facts = dict[str, Any]

LOOK_BACK = 200


def facts_of(home: Home, name: str, meant: Meaning) -> tuple[list[Facts], Problem | None]:
    """Of the one service that the name means, or of all instances of a plugin.

    And what was the matter with the daemon, if it could not be asked.
    """
    names = services_meant(name, known_services(home))
    asking = _Asking(home)
    found: list[Facts] = []
    left_out: dict[str, Problem] = {}
    for one in names if len(names) > 1 else [name]:
        try:
            found.append(asking.of(one))
        except Problem as problem:
            left_out[one] = problem
    if not found:
        first = next(iter(left_out.values()))
        is_neither = first.code == USAGE and len(left_out) == 1 and not meant.is_service
        raise unknown(home, name) if is_neither else first
    asking.tell()
    for one, its in left_out.items():
        note(f"{one}: {its.what}")
    return found, asking.away


class _Asking:
    """One daemon is asked; when it is away or hangs, that is so for all of its services."""

    __slots__ = ("_home", "_rows", "_up_to", "away")

    def __init__(self, home: Home) -> None:
        self._home = home
        self.away: Problem | None = None
        self._rows: list[Facts] = []  # as `start` keeps them then
        self._up_to = ""

    def of(self, service: str) -> Facts:
        if self.away is None:
            try:
                with connect(self._home, role_of(service)) as client:
                    return client.request("why", name=service)
            except Problem as problem:
                if problem.code == USAGE:
                    check_name(self._home, service)  # it may say more
                if problem.code not in (NOT_RUNNING, TIMED_OUT):
                    raise
                self.away = problem
                self._rows = _kept(self._home)
        return self._remembered(service, self.away)

    def _remembered(self, service: str, problem: Problem) -> Facts:
        check_name(self._home, service)
        row = _row_of(self._rows, service)
        away = _who_is_away(row, _row_of(self._rows, SCHEDULER), problem)
        events = with_told_by_start(self._home, service, reading.last(self._home.journal_file, LOOK_BACK, service))
        if not events and row is None:  # the scheduler can't be started alone then
            raise Problem(away["away"], why=problem.why, remedy=away["next"], code=problem.code)
        if events:
            self._up_to = max(self._up_to, str(events[-1].get("at")))
        return {**from_journal(service, events, row), **away}

    def tell(self) -> None:
        """That it is not the daemon that says so."""
        if self.away is not None and self._up_to:
            note(f"{self.away.what}: this is what the journal remembers, up to {self._up_to}")


def _kept(home: Home) -> list[Facts]:
    """The services' rows as `start` keeps them; none when that can't be asked."""
    try:
        rows: list[Facts] = build_status(home)["services"]
    except Problem:
        return []
    return rows


def _row_of(rows: list[Facts], name: str) -> Facts | None:
    return next((row for row in rows if row["name"] == name), None)


def _who_is_away(row: Facts | None, scheduler: Facts | None, problem: Problem) -> Facts:
    if row is None and problem.code == TIMED_OUT:
        return {"away": problem.what, "next": problem.remedy}
    if row is None:
        return {"away": "sbctl is not running", "next": "sbctl start"}
    if scheduler is not None and scheduler["state"] == "stopped":
        return {"away": "the scheduler is stopped", "next": "sbctl start scheduler"}
    return {"away": "the scheduler does not answer", "next": "sbctl why scheduler"}
