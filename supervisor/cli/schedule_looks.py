"""Rows of schedules: as the scheduler has them, else as they are reckoned without it (and stderr says so)."""

from __future__ import annotations

from supervisor.base.errors import Problem
from supervisor.cli import past
from supervisor.cli.out import note
from supervisor.cli.outlook import Outlook
from supervisor.cli.schedules import ask, ask_if_running, catalogue, in_force, meant, no_such_schedule, owners_of

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
    reply = ask_if_running(home, "schedules", **more)
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
        rows = reply["schedules"]
        row = next((row for row in rows if row["id"] == id), rows[0] if rows else None)
        if row is None:
            raise no_such_schedule(id, in_force(home).schedules)
        slots = ask(home, "next", names=[row["id"]], count=NEXT)["slots"]
        its = in_force(home).schedules.get(row["id"])
    else:
        note(ALONE)
        schedules = catalogue(home)
        its = schedules.schedules.get(id)
        if its is None:
            raise no_such_schedule(id, schedules.schedules)
        outlook = Outlook(home, schedules)
        row, slots = outlook.rows([id])[0], outlook.slots([id], NEXT)
    policy = its.policy.as_dict() if its is not None else {}
    triggers = its.triggers if its is not None else []
    return {"row": row, "policy": policy, "triggers": triggers, "next": slots[:NEXT], "usual": _usual(home, row["id"])}


def _usual(home: Home, id: str) -> Facts | None:
    """How long its last good runs took: average_s, p50_s, p95_s, and of how many."""
    try:
        kept = past.statistics(home, id).get(id)
    except Problem as problem:
        note(problem.text())
        return None
    if kept is None or not kept["count"]:
        return None
    return {f"{name}_s": kept[f"{key}_ms"] / 1000 for name, key in USUAL.items()} | {"runs": kept["count"]}
