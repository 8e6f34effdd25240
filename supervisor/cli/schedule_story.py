"""`sbctl why SCHEDULE`: how it stands, which gates are shut, what became of its last slots and runs. Pure."""

from __future__ import annotations

from supervisor.base.counting import counted
from supervisor.cli.marks import short, sign, words
from supervisor.cli.out import at_home
from supervisor.cli.pausing import paused_text
from supervisor.cli.run_asking import held_text
from supervisor.cli.run_rows import outcome, time_of
from supervisor.cli.schedule_zones import told
from supervisor.cli.table import duration
from supervisor.cli.times import parse_iso
from supervisor.cli.why_which import NOT_IN_FORCE, REMOVED
from supervisor.cli.zones import minute
from supervisor.model.rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.table import Style
    from supervisor.core.zone import Zone

    Facts = dict[str, Any]

INDENT = " " * 12
SHOWN_SLOTS = 8
NEAR_S = 60


def schedule_story(facts: Facts, its: Zone, now: float, style: Style) -> list[str]:
    """`facts` is what --json shows: name, standing, row, lines, gates, slots, runs, all_paused, at."""
    reasons = {gate.get("reason") for gate in facts["gates"]}
    runs = {run["id"]: run for run in facts["runs"]}
    lines = [clean(_first(facts, its, now)), *_block("zone", [its.name])]
    lines += _block("then", [_slot(slot, runs, its, now, style) for slot in _asked(facts["slots"], facts["at"])])
    lines += [clean(at_home(told(line, its, now))) for line in facts["lines"] if line not in reasons]
    lines += _gates(facts["gates"], its, now)
    slots = [_slot(slot, runs, its, now, style) for slot in facts["slots"][:SHOWN_SLOTS]]
    lines += _block("slots", slots or ["none yet"])
    if facts["at"]:
        return lines
    shown = {slot.get("run") for slot in facts["slots"]}
    others = [_run(run, its, now, style) for run in facts["runs"] if run["id"] not in shown]
    lines += _block("other runs" if slots else "runs", others[:SHOWN_SLOTS])
    return [*lines, *_block("next", [at_home(_next(facts))])]


def _first(facts: Facts, its: Zone, now: float) -> str:
    name, row, standing = facts["name"], facts["row"], facts["standing"]
    if standing == REMOVED:
        return f"{name} is no schedule any more{_last(facts, its, now)}"
    if standing == NOT_IN_FORCE:
        return f"{name} is in {row['source']}, and not in force yet; it would run {row['rule']}"
    return state(row, its, now) + _held_now(facts, its, now)


def _held_now(facts: Facts, its: Zone, now: float) -> str:
    """What the first gate that is shut says of this moment, where the line does not tell it otherwise."""
    if facts["row"]["status"] not in ("active", "finished"):
        return ""
    reason = next((str(gate.get("reason") or "") for gate in facts["gates"] if not gate["open"]), "")
    return f"; now: {told(reason, its, now)}" if reason and reason != facts["row"]["next_reason"] else ""


def _last(facts: Facts, its: Zone, now: float) -> str:
    """Of one that was removed."""
    slots = [parse_iso(slot["nominal_to"] or slot["nominal"]) for slot in facts["slots"]]
    runs = [parse_iso(run["started"] or run["claimed"]) for run in facts["runs"]]
    for what, found in (("slot was", slots), ("run began", runs)):
        if times := [at for at in found if at is not None]:
            return f"; its last {what} {minute(max(times), its, now)}"
    return ""


def _asked(slots: list[Facts], at: str | None) -> list[Facts]:
    """The one that was asked for, by its own time or by when it was due. A time of day is meant to the minute."""
    wanted = parse_iso(at)
    if wanted is None:
        return []
    near = NEAR_S if wanted % NEAR_S == 0 else 1
    found = [(_distance(slot, wanted), number, slot) for number, slot in enumerate(slots)]
    return [slot for distance, _, slot in sorted(found, key=lambda each: each[:2]) if distance < near][:1]


def _distance(slot: Facts, wanted: float) -> float:
    first, due = parse_iso(slot["nominal"]), parse_iso(slot.get("due"))
    last = parse_iso(slot.get("nominal_to")) or first
    if first is None or last is None:
        return float("inf")
    own = max(first - wanted, wanted - last, 0.0)
    return own if due is None else min(own, abs(due - wanted))


def state(row: Facts, its: Zone, now: float) -> str:
    """`twitter is paused since 13:00 by pause.flag; next 13:12 when resumed`."""
    status, name = str(row["status"]), str(row["id"])
    due = parse_iso(row["next_due"] or row["next_run"])
    reason = told(str(row["next_reason"] or ""), its, now)
    at = f"next {minute(due, its, now)}" if due is not None else _without_time(row, "then")
    if status == "paused":
        return f"{name} is {_paused(row, its, now)}"
    if status == "running":
        going = f"{name} is running ({', '.join(row['running'])})"
        if not row["enabled"]:
            return f"{going}, and disabled: it runs by hand only"
        return f"{going}, and {_paused(row, its, now)}" if row["paused"] else f"{going}; {at}"
    if status == "disabled":
        return f"{name} is disabled: it runs by hand only"
    if status == "cooldown":
        until = parse_iso(row["cooldown_until"])
        then = f" until {minute(until, its, now)}" if until is not None else ""
        failures = counted(row["consecutive_failures"] or 0, "failure")
        return f"{name} is cooling down{then} after {failures} in a row; {at}"
    if status == "active" and due is None:
        return f"{name} is active; it runs {row['rule']}"
    if status == "finished" or due is None:
        return f"{name} has no further slots"
    held = f", but then: {words(reason)}" if reason else ""
    return f"{name} is {status}; {at} (in {duration(max(due - now, 0))}){held}"


def _without_time(row: Facts, when: str) -> str:
    """Nobody knows beforehand when a run ends that another one follows."""
    return f"{when} it runs {row['rule']}" if row.get("by_ends") else "no further slot"


def _paused(row: Facts, its: Zone, now: float) -> str:
    how, due = paused_text(row["paused"], its, now), parse_iso(row["next_due"] or row["next_run"])
    then = f"next {minute(due, its, now)} when resumed" if due is not None else _without_time(row, "when resumed")
    return f"paused {how}; {then}" if how else f"paused; {then}"


def _gates(gates: list[Facts], its: Zone, now: float) -> list[str]:
    shut = [_gate(gate, its, now) for gate in gates if not gate["open"]]
    if not gates:
        return []
    return _block("held by", shut) if shut else _block("gates", ["all open"])


def _gate(gate: Facts, its: Zone, now: float) -> str:
    until = parse_iso(gate.get("until"))
    then = minute(until, its, now) if until is not None else ""
    return held_text(str(gate["gate"]), told(str(gate.get("reason") or ""), its, now), then)


def _slot(slot: Facts, runs: dict[str, Facts], its: Zone, now: float, style: Style) -> str:
    first, last = parse_iso(slot["nominal"]), parse_iso(slot.get("nominal_to"))
    when = minute(first, its, now) if first is not None else "-"
    if last is not None and last != first:
        count = slot.get("count")
        when += f" to {minute(last, its, now)} ({count if count is not None else 'many'} slots)"
    note = f" ({told(slot['note'], its, now)})" if slot.get("note") else ""
    if slot["outcome"] == "skipped":
        until = parse_iso(slot.get("until"))
        then = f", until {minute(until, its, now)}" if until is not None and ", until " not in note else ""
        return f"{when}  skipped: {words(told(str(slot.get('reason') or '?'), its, now))}{then}{note}"
    run = runs.get(str(slot.get("run")))
    if run is None:
        return f"{when}  {slot['outcome']} {slot.get('run') or ''}{note}"
    return f"{when}  {_ended(run, style)}{note}"


def _run(run: Facts, its: Zone, now: float, style: Style) -> str:
    at = parse_iso(run["started"] or run["claimed"])
    by = f", {str(run['trigger']).replace('_', ' ')}" + (f" by {run['by']}" if run["by"] else "")
    return f"{minute(at, its, now) if at is not None else '-'}  {_ended(run, style)}{by}"


def _ended(run: Facts, style: Style) -> str:
    how = outcome(run)
    took = short(run["took_s"]) if run["took_s"] is not None else ""
    return " ".join(word for word in (sign(str(run["state"]), style), run["id"], how, took) if word)


def _next(facts: Facts) -> str:
    row, name = facts["row"], facts["name"]
    if facts["standing"] == REMOVED:
        return f"sbctl runs {name}; to have it again: sbctl schedule add {name}"
    if facts["standing"] == NOT_IN_FORCE:
        return "sbctl reload"
    status = row["status"]
    shut = [str(gate["gate"]) for gate in facts["gates"] if not gate["open"]]
    if status == "paused":
        resume = "sbctl resume" if facts["all_paused"] else f"sbctl resume {name}"
        return f"{resume}; to run it all the same: sbctl run {name} --force"
    if status == "disabled":
        return f"sbctl schedule enable {name}; once: sbctl run {name}" + (" --force" if shut != ["enabled"] else "")
    if status == "cooldown" or (facts["runs"] and outcome(facts["runs"][0])):
        return f"sbctl show {facts['runs'][0]['id'] if facts['runs'] else name} --log"
    return f"sbctl run {name}" + (" --force" if shut else "")


def _block(title: str, texts: list[str]) -> list[str]:
    shown = [clean(text) for text in texts]
    return [f"{title if not number else '':<12}{text}" for number, text in enumerate(shown)]


def slot_facts(slot: Facts) -> Facts:
    """A row of the table of slots as --json shows it."""
    facts = {name: slot.get(name) for name in ("schedule", "outcome", "reason", "run", "count", "note")}
    for name in ("nominal", "nominal_to"):
        facts[name] = time_of(slot.get(name), 1)
    for name in ("due", "until", "decided"):
        facts[name] = time_of(slot.get(name), 1000)
    return facts
