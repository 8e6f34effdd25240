"""What is known of why a schedule ran or did not: from the scheduler, else from settings and history."""

from __future__ import annotations

from supervisor.base.clock import iso
from supervisor.base.errors import Problem
from supervisor.cli import past
from supervisor.cli.moments import parse_moment
from supervisor.cli.out import note
from supervisor.cli.outlook import Outlook
from supervisor.cli.pausing import flag
from supervisor.cli.run_rows import run_facts
from supervisor.cli.schedule_looks import ALONE
from supervisor.cli.schedule_story import slot_facts
from supervisor.cli.schedules import ask_if_running
from supervisor.cli.why_which import NEW, NOT_IN_FORCE, REMOVED
from supervisor.cli.zones import minute, zone_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.why_which import Meaning
    from supervisor.core.due import Rule
    from supervisor.core.zone import Zone
    from supervisor.model.home import Home
    from supervisor.model.schedule import Schedule

    Facts = dict[str, Any]

SLOTS, RUNS = 8, 20
NEAR_S = 60  # a time of day is meant to the minute, unless it has seconds


def facts_of(home: Home, meant: Meaning, when: str | None, now: float) -> Facts:
    """name, standing, row, lines, gates, slots, runs, all_paused, at.

    `when`: as it was typed, a time in the zone of the schedule.
    """
    name, schedule = meant.id, meant.schedule
    its = zone_named(schedule.zone if schedule is not None else "")
    at = None if when is None else parse_moment(when, now, its)
    slots, runs, trouble = _past(home, name, at)
    reply = _reply(home, meant, now, {} if trouble else None)
    lines = [*reply["lines"], *_news(meant)]
    if "slots" in reply:
        slots = reply["slots"]
    elif at is not None and schedule is not None:
        lines += _about(Outlook(home, meant.schedules, now), schedule, None if trouble else home, at)
    facts = {"name": name, "standing": meant.standing, "row": reply["row"], "lines": lines, "gates": reply["gates"]}
    facts["slots"] = [slot_facts(slot) for slot in slots]
    facts["runs"] = [*runs, *_runs_of(home, facts["slots"], {run["id"] for run in runs})]
    facts["all_paused"] = flag(home, now) is not None
    facts["at"] = None if at is None else iso(at)
    return facts


def _past(home: Home, name: str, at: float | None) -> tuple[list[Facts], list[Facts], bool]:
    """Slots and runs; whether the history can't be read, which is said."""
    try:
        slots = past.slots(home, name, around=at, limit=SLOTS)
        return slots, [run_facts(row) for row in past.runs_of(home, name, limit=RUNS)], False
    except Problem as problem:
        past.tell_trouble(problem)
        return [], [], True


def _runs_of(home: Home, slots: list[Facts], known: set[str]) -> list[Facts]:
    """Of slots of an earlier time."""
    wanted = [slot["run"] for slot in slots if slot["run"] and slot["run"] not in known]
    return [run_facts(row) for run in wanted if (row := past.run(home, run)) is not None]


def _reply(home: Home, meant: Meaning, now: float, kept: Facts | None) -> Facts:
    if meant.standing == REMOVED:
        return {"row": None, "lines": [], "gates": []}
    reply = None if meant.standing == NOT_IN_FORCE else ask_if_running(home, "why_schedule", name=meant.id)
    if reply is not None:
        return reply
    if meant.standing != NOT_IN_FORCE:
        note(ALONE)
    return _alone(home, meant, now, kept)


def _news(meant: Meaning) -> list[str]:
    if meant.standing != NEW or meant.schedule is None:
        return []
    return [f"it is new, and known from {meant.schedule.source}: it begins with the next sbctl start"]


def _alone(home: Home, meant: Meaning, now: float, kept: Facts | None) -> Facts:
    outlook = Outlook(home, meant.schedules, now, kept=kept)
    row = outlook.rows([meant.id])[0]
    pause = row["paused"] or {}
    gates = [
        {"gate": "enabled", "open": row["enabled"], "reason": "it is disabled", "until": None},
        {
            "gate": "paused",
            "open": not row["paused"],
            "reason": pause.get("reason") or (f"by {pause['by']}" if pause.get("by") else ""),
            "until": pause.get("until"),
        },
        {
            "gate": "cooldown",
            "open": not row["cooldown_until"],
            "reason": "cooling down after failures in a row",
            "until": row["cooldown_until"],
        },
    ]
    return {"row": row, "lines": [], "gates": gates}


def _about(outlook: Outlook, schedule: Schedule, history: Home | None, at: float) -> list[str]:
    """What there was at that time, by the rule and by the history; None: that can't be read."""
    its: Zone = outlook.zone_of(schedule)
    now = outlook.now
    rule = outlook.rule(schedule)
    found = _slot_near(rule, at, NEAR_S if at % NEAR_S == 0 else 1)
    if found is not None:
        nominal, due, is_by_due = found
        told = f"{minute(nominal, its, now)} is a slot" + (f", due {minute(due, its, now)}," if is_by_due else "")
        # Looked for by itself: of the rows around `at` only a few were read.
        if nominal <= now and history is not None and past.slot_at(history, schedule.id, nominal) is not None:
            return []
        if due > now:
            return [f"{told} that is still to come"]
        return [f"{told} by its rule" + ("; the history has no row of it" if history is not None else "")]
    after, before = rule.times.next(int(at) - 1), rule.times.prev(int(at))
    beside = [f"before it {minute(before.at, its, now)}"] if before is not None else []
    beside += [f"after it {minute(after.at, its, now)}"] if after is not None else []
    tail = f": {', '.join(beside)}" if beside else ""
    return [f"at {minute(at, its, now)} there is no slot by its rule{tail}"]


def _slot_near(rule: Rule, at: float, near: int) -> tuple[int, float, bool] | None:
    """When it is, when it is due, and whether it was found by that: late by its jitter, or put off until its hours."""
    after, before = rule.times.next(int(at) - 1), rule.times.prev(int(at))
    fire = after if after is not None and after.at < at + near else before
    if fire is not None and fire.at > at - near:
        return fire.at, rule.due(fire).at, False
    for _ in range(2):  # one is due before the next begins, or just then
        if fire is None:
            break
        due = rule.due(fire).at
        if abs(due - at) < near:
            return fire.at, due, True
        fire = rule.times.prev(fire.at)
    return None
