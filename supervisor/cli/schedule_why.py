"""What is known of why a schedule ran or did not: from the scheduler, else from settings and history."""

from __future__ import annotations

from supervisor.base.clock import iso
from supervisor.cli import past
from supervisor.cli.moments import parse_moment
from supervisor.cli.out import note
from supervisor.cli.outlook import Outlook
from supervisor.cli.pausing import flag
from supervisor.cli.run_rows import run_facts
from supervisor.cli.schedule_looks import ALONE
from supervisor.cli.schedule_story import slot_facts
from supervisor.cli.schedules import ask_if_running, catalogue, in_force, no_such_schedule
from supervisor.cli.zones import minute, zone_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.core.zone import Zone
    from supervisor.model.home import Home
    from supervisor.model.schedule import Schedule

    Facts = dict[str, Any]

SLOTS, RUNS = 8, 20
NEAR_S = 60  # a time of day is meant to the minute, unless it has seconds


def facts_of(home: Home, name: str, schedule: Schedule | None, when: str | None, now: float) -> Facts:
    """row, lines, gates, slots, runs, all_paused, at. `when`: as it was typed, a time in the zone of the schedule."""
    its = zone_named(schedule.zone if schedule is not None else "")
    at = None if when is None else parse_moment(when, now, its)
    reply = ask_if_running(home, "why_schedule", name=name)
    if reply is None:
        note(ALONE)
        reply = _alone(home, name, now)
    if "slots" not in reply:  # which anybody can read
        reply["slots"] = past.slots(home, name, around=at, limit=SLOTS)
        if at is not None and schedule is not None:
            reply["lines"] = [
                *reply["lines"],
                *_about(Outlook(home, in_force(home), now), schedule, reply["slots"], at),
            ]
    runs = [run_facts(row) for row in past.runs(home, (name,), limit=RUNS)]
    runs = [run for run in runs if run["schedule"] == name]
    slots = [slot_facts(slot) for slot in reply["slots"]]
    known = {run["id"] for run in runs}
    for slot in slots:  # of an earlier time
        if slot["run"] and slot["run"] not in known and (row := past.run(home, slot["run"])) is not None:
            runs.append(run_facts(row))
    facts = {"row": reply["row"], "lines": reply["lines"], "gates": reply["gates"], "slots": slots, "runs": runs}
    facts["all_paused"] = flag(home, now) is not None
    facts["at"] = None if at is None else iso(at)
    return facts


def _alone(home: Home, name: str, now: float) -> Facts:
    schedules = catalogue(home)
    schedule = schedules.schedules.get(name)
    if schedule is None:
        raise no_such_schedule(name, schedules.schedules)
    outlook = Outlook(home, schedules, now)
    row = outlook.rows([name])[0]
    gates = [
        {"gate": "enabled", "open": schedule.enabled, "reason": "it is disabled", "until": None},
        {
            "gate": "paused",
            "open": not row["paused"],
            "reason": (row["paused"] or {}).get("reason") or "everything is paused",
            "until": (row["paused"] or {}).get("until"),
        },
    ]
    return {"row": row, "lines": [], "gates": gates}


def _about(outlook: Outlook, schedule: Schedule, slots: list[Facts], at: float) -> list[str]:
    """What there was at that time, by the rule and by the history."""
    its: Zone = outlook.zone_of(schedule)
    now = outlook.now
    times = outlook.rule(schedule).times
    near = NEAR_S if at % NEAR_S == 0 else 1
    fire = times.prev(int(at) + near)
    if fire is not None and fire.at > at - near:
        stamp = iso(float(fire.at))
        covered = any(str(slot["nominal"]) <= stamp <= str(slot["nominal_to"]) for slot in slots)
        if fire.at > now:
            return [f"{minute(fire.at, its, now)} is a slot that is still to come"]
        return [] if covered else [f"{minute(fire.at, its, now)} is a slot by its rule; the history has no row of it"]
    after = times.next(int(at))
    beside = [f"before it {minute(fire.at, its, now)}"] if fire is not None else []
    beside += [f"after it {minute(after.at, its, now)}"] if after is not None else []
    tail = f": {', '.join(beside)}" if beside else ""
    return [f"at {minute(at, its, now)} there is no slot by its rule{tail}"]
