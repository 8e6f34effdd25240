"""Rows of schedules: as the scheduler has them, else as they are reckoned without it (and stderr says so)."""

from __future__ import annotations

from supervisor.base.errors import Problem
from supervisor.cli import past
from supervisor.cli.out import note
from supervisor.cli.outlook import Outlook
from supervisor.cli.schedules import (
    ask,
    ask_if_running,
    catalogue,
    in_force,
    meant,
    owners_of,
    rows_if_running,
    several,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home

    Facts = dict[str, Any]

NEXT = 5
USUAL = {"average": "avg", "p50": "p50", "p95": "p95"}
ALONE = "no scheduler runs: this is as the settings and the history have it"


def rows_of(home: Home, names: list[str], tenant: str | None) -> Facts:
    """What `schedules` answers; without a scheduler `system` is null."""
    more: Facts = {"names": names} if names else {}
    if tenant is not None:
        more["tenant"] = tenant
    reply = rows_if_running(home, **more)
    if reply is not None:
        return reply
    note(ALONE)
    schedules = catalogue(home)
    ids = meant(names, owners_of(schedules)) if names else list(schedules.schedules)
    if tenant is not None:
        ids = [id for id in ids if schedules.schedules[id].tenant == tenant]
    return {"schedules": Outlook(home, schedules).rows(ids), "system": None}


def whole_of(home: Home, id: str) -> Facts:
    """One of them with its compiled policy, its triggers and its next slots."""
    reply = ask_if_running(home, "schedules", names=[id])
    if reply is not None:
        rows = {row["id"]: row for row in reply["schedules"]}
        row = rows[_only(id, list(rows))]
        slots = ask(home, "next", names=[row["id"]], count=NEXT)["slots"]
        its = in_force(home).schedules.get(row["id"])
        usual = _usual(_kept(home, row["id"]))
    else:
        note(ALONE)
        schedules = catalogue(home)
        id = _only(id, meant([id], owners_of(schedules)))
        its = schedules.schedules[id]
        outlook = Outlook(home, schedules)
        row, slots = outlook.rows([id])[0], outlook.slots([id], NEXT)
        usual = _usual(outlook.kept().get(id))
    policy = its.policy.as_dict() if its is not None else {}
    triggers = its.triggers if its is not None else []
    return {"row": row, "policy": policy, "triggers": triggers, "next": slots[:NEXT], "usual": usual}


def _only(word: str, ids: list[str]) -> str:
    """The one that is meant: it is to be everything about one."""
    if word in ids:
        return word
    if len(ids) != 1:
        raise several(word, ids)
    return ids[0]


def _kept(home: Home, id: str) -> Facts | None:
    try:
        return past.statistics(home, id).get(id)
    except Problem as problem:
        past.tell_trouble(problem)
        return None


def _usual(kept: Facts | None) -> Facts | None:
    """How long its last good runs took: average_s, p50_s, p95_s, and of how many."""
    if kept is None or not kept["count"]:
        return None
    return {f"{name}_s": kept[f"{key}_ms"] / 1000 for name, key in USUAL.items()} | {"runs": kept["count"]}
