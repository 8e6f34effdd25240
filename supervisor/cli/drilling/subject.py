"""Finding the service of a drill, and everything that must be known before anything is done to it."""

from __future__ import annotations

from supervisor.base import procstat
from supervisor.base.errors import FAILED, USAGE, Problem
from supervisor.cli.compiling import read_compiled, specs_of
from supervisor.cli.drilling.expecting import Subject
from supervisor.cli.names import expand, refuse_self
from supervisor.cli.unreached import role_of as role_of_process
from supervisor.control.api import SCHEDULER, START, role_of
from supervisor.control.client import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home
    from supervisor.model.service import Spec

    Row = dict[str, Any]

ASK_S = 2.0
RESTLESS, STEADY_S = 2, 60.0  # restarts, and how long it lives since the last one


class Others:
    """Everybody else, by name: pid, start time and restarts, as of one moment."""

    __slots__ = ("restless", "seen")

    def __init__(self, rows: list[Row], without: set[str]) -> None:
        them = [row for row in rows if row["name"] not in without and row["pid"]]
        self.seen = {str(row["name"]): _life(row) for row in them if not is_restless(row)}
        self.restless = sorted(str(row["name"]) for row in them if is_restless(row))

    def changed(self, now: Others) -> list[str]:
        """Who is another process than before, or none."""
        return sorted(name for name, life in self.seen.items() if now.seen.get(name) != life)


def is_restless(row: Row) -> bool:
    """It dies by itself these days, so that one more death would prove nothing."""
    return int(row["restarts"] or 0) >= RESTLESS and float(row["uptime_s"] or 0.0) < STEADY_S


def _life(row: Row) -> tuple[int, int, int]:
    stat = procstat.stat_of(int(row["pid"]))
    return int(row["pid"]), stat.started if stat is not None else 0, int(row["restarts"] or 0)


def rows_of(home: Home) -> tuple[list[Row], Row]:
    """Of both daemons; and the summary of `start`. A Problem unless both answer."""
    with connect(home, START, ASK_S) as client:
        answer = client.request("status", limit=ASK_S)
    rows: list[Row] = answer["rows"]
    summary: Row = answer["summary"]
    with connect(home, SCHEDULER, ASK_S) as client:
        rows += client.request("status", limit=ASK_S)["rows"]
    return rows, summary


def find(home: Home, word: str) -> tuple[Subject, list[Row], set[str], int]:
    """The service, all rows, the names that are none of the others (itself, who requires it), the pid of `start`."""
    refuse_self(word)
    rows, summary = rows_of(home)
    name = _one(home, word, rows)
    row = next(row for row in rows if row["name"] == name)
    _check_here(home, int(summary["pid"]))
    if row["state"] != "running" or not row["pid"]:
        raise Problem(
            f"{name} is {row['state']}: only one that runs can be drilled",
            why=str(row.get("detail") or ""),
            remedy=f"sbctl why {name}",
            code=FAILED,
        )
    specs = _specs(home, str(summary.get("revision") or ""))
    spec = specs.get(name)
    if spec is None:
        raise Problem(f"the settings of {name} can't be read", remedy="sbctl reload", code=FAILED)
    with connect(home, role_of(name), ASK_S) as client:
        attempts = client.request("why", limit=ASK_S, name=name)["attempts"]
    subject = Subject(
        spec,
        pid=int(row["pid"]),
        uptime=float(row["uptime_s"] or 0.0),
        restarts=int(row["restarts"] or 0),
        attempts=attempts,
        settle=float(summary.get("settle_s") or 0.0),
    )
    return subject, rows, {name, *who_require(name, specs)}, int(summary["pid"])


def _check_here(home: Home, start: int) -> None:
    """A pid that was told by a `start` in a container is a stranger's here."""
    if role_of_process(start, home) != START:
        raise Problem(
            f"start says that it is pid {start}, which is another process here",
            why="it runs in another PID namespace (a container), so none of its pids means anything here",
            remedy="run the drill in there",
            code=FAILED,
        )


def _one(home: Home, word: str, rows: list[Row]) -> str:
    names = expand(home, [word], [str(row["name"]) for row in rows])
    if len(names) > 1:
        raise Problem(f"{word!r} are several services", remedy=f"one of {', '.join(names)}", code=USAGE)
    return names[0]


def _specs(home: Home, revision: str) -> dict[str, Spec]:
    """By the settings that are in force, not by those that were compiled last."""
    documents = (read_compiled(home, role, revision) for role in (START, SCHEDULER))
    try:
        return {spec.name: spec for document in documents for spec in specs_of(document)}
    except (KeyError, TypeError, ValueError):  # written by another version
        return {}


def who_require(name: str, specs: dict[str, Spec]) -> set[str]:
    """Those that go along when it goes, and those that go along with these."""
    found: set[str] = set()
    left = [name]
    while left:
        one = left.pop()
        for spec in specs.values():
            if spec.name not in found and any(need.name == one for need in spec.order.requires):
                found.add(spec.name)
                left.append(spec.name)
    return found
