"""What would run next, reckoned without a scheduler: from the settings, the history and pause.flag.

The same rows as the scheduler answers to `schedules`, and the same slots as to `next`, made by the same planner, as far
as they can be known without it: not what a check would say.
"""

from __future__ import annotations

import time
from functools import partial
from math import ceil, nextafter

from supervisor.base.clock import iso
from supervisor.base.errors import Problem
from supervisor.cli import past
from supervisor.cli.pausing import flag
from supervisor.cli.times import parse_iso
from supervisor.cli.wishes import wishes_of
from supervisor.cli.zones import zone_named
from supervisor.core.breaker import HALF_OPEN, OPEN
from supervisor.core.coming import Known, Nearest
from supervisor.core.due import decided
from supervisor.model.identity import read_home_id
from supervisor.model.wishes import is_over
from supervisor.runs.cursors import anchor_of, place, see_anew
from supervisor.runs.plan import Maker
from supervisor.runs.upcoming import by_its_end, by_time, of_rule, that_waits, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from supervisor.core.cron_search import Fire
    from supervisor.core.due import Due, Rule
    from supervisor.core.zone import Zone
    from supervisor.model.home import Home
    from supervisor.model.schedule import Catalogue, Schedule
    from supervisor.runs.plan import Plan
    from supervisor.runs.upcoming import Slot

    Facts = dict[str, Any]


class Outlook:
    """One look at the future of a home."""

    def __init__(
        self, home: Home, schedules: Catalogue, now: float | None = None, kept: dict[str, Facts] | None = None
    ) -> None:
        self.now = time.time() if now is None else now
        self._schedules = schedules
        self.maker = Maker(schedules, zone_named, read_home_id(home) or "")
        self._home = home
        self._kept = kept  # None: not yet read
        self._newest: dict[str, tuple[int, int]] | None = None
        self._waiting: dict[str, list[tuple[int, float]]] | None = None
        self._flag = flag(home, self.now)
        self._wishes = wishes_of(home)

    def kept(self) -> dict[str, Facts]:
        """What the history has counted, by schedule; where it can't be read that is said, and nothing is known."""
        if self._kept is None:
            try:
                self._kept = past.statistics(self._home)
            except Problem as problem:
                past.tell_trouble(problem)
                self._kept = {}
        return self._kept

    def _newest_slot(self, id: str) -> tuple[int, int | None]:
        """When the last one of those that were decided was due, and when that was; 0 and None: there is none."""
        if self._newest is None:
            self._newest = past.newest_slots(self._home)
        return self._newest.get(id, (0, None))

    def zone_of(self, schedule: Schedule) -> Zone:
        return self.maker.zone_of(schedule)

    def rule(self, schedule: Schedule) -> Rule:
        return self._made(schedule)[0].rule

    def plan(self, schedule: Schedule) -> Plan:
        """As a scheduler has it that starts now, once it has decided what is due.

        The last slot may be late by its jitter, or put off until its hours open; an interval that was never seen is due
        at once.
        """
        plan, is_new = self._made(schedule)
        kept = self.kept().get(schedule.id) or {}
        cursor = parse_iso(kept.get("cursor"))
        plan.last_at = min(parse_iso(kept.get("last_at")) or 0.0, self.now)
        if cursor is None:
            see_anew(plan, self.now, is_new=is_new)
            return plan
        newest, at = self._newest_slot(schedule.id)
        place(plan, max(int(cursor), newest), newest, at, kept["revision"], self.now)
        plan.cursor = decided(plan.rule, plan.cursor, self.now)
        for nominal, _ in self._waits(plan):  # a slot that an end has made, and that is still to come
            plan.finish_slot = min(plan.finish_slot, nominal - int(plan.after_finish))
        return plan

    def plan_at(self, schedule: Schedule, start: int) -> Plan:
        """As it would be at that moment, with the slot of that moment still to come."""
        seen = self._wishes.first_seen(schedule.id)
        anchor, is_new = anchor_of(schedule, seen if seen is None or seen <= start else None, start)
        if start >= int(self.now) and not is_new:  # of this very second, too
            plan = self.plan(schedule)
        else:
            plan = self.maker.plan(schedule, anchor)
            plan.cursor = anchor - schedule.run_at_start
        plan.cursor = decided(plan.rule, plan.cursor, nextafter(start, 0))
        _go_on(plan, start)
        return plan

    def _made(self, schedule: Schedule) -> tuple[Plan, bool]:
        """An interval is counted from when it was first seen; one never seen begins now."""
        anchor, is_new = anchor_of(schedule, self._wishes.first_seen(schedule.id), self.now)
        return self.maker.plan(schedule, anchor), is_new

    def _paused(self, schedule: Schedule) -> Facts | None:
        """As of `schedules`: by the file, else its own."""
        own = self._wishes.paused(schedule.id)
        if self._flag is not None or own is None or is_over(own, self.now):
            return self._flag
        until = None if own["until"] is None else iso(own["until"])
        return {"at": iso(own["at"]), "by": own["by"], "reason": own["reason"], "until": until}

    def is_enabled(self, schedule: Schedule) -> bool:
        wish = self._wishes.enabled(schedule.id)
        return schedule.enabled if wish is None else wish

    def rows(self, ids: Sequence[str]) -> list[Facts]:
        return [self._row(self._schedules.schedules[id]) for id in ids]

    def slots(self, ids: Sequence[str], count: int) -> list[Facts]:
        """The next ones of them all, by when they are due, and what is held before the last of them."""
        return self.nearest(ids, count).slots()

    def nearest(self, ids: Sequence[str], count: int) -> Nearest:
        nearest = Nearest(count)
        for id in sorted(ids):
            schedule = self._schedules.schedules[id]
            plan = self.plan(schedule)
            for slot in self._slots(plan, self._known(schedule), count):
                if not nearest.add(slot[1].at, slot[3], told(plan, slot)):
                    break
        return nearest

    def _slots(self, plan: Plan, known: Known, count: int) -> Iterator[Slot]:
        by_itself = by_its_end(plan, known, plan.after_end(), self.now)
        if not plan.after_finish:  # else that is the one
            begin = [(nominal, plan.rule.begins(max(due, self.now))) for nominal, due in self._waits(plan)]
            by_itself = [that_waits(plan, known, nominal, due) for nominal, due in begin if not due.passed]
        return by_time(plan, known, count, by_itself)

    def _waits(self, plan: Plan) -> list[tuple[int, float]]:
        if self._waiting is None:
            self._waiting = past.waiting(self._home) if self.kept() else {}  # none of what can't be read
        return self._waiting.get(plan.id, [])

    def walk(self, id: str) -> Iterator[tuple[int, Callable[[], Facts] | None]]:
        """Those of its rules of time, by nominal time; None: disabled, or hours or a blackout do not let it run."""
        schedule = self._schedules.schedules[id]
        plan, known = self.plan(schedule), self._known(schedule)
        stands = Known(is_enabled=known.is_enabled, blackout=known.blackout)
        at, rule = plan.cursor, plan.rule
        while (fire := rule.times.next(at)) is not None:
            at, due = fire.at, rule.due(fire)
            runs = stands.hold(rule, due) is None
            yield at, partial(_judged, plan, fire, due, known) if runs else None

    def _known(self, schedule: Schedule) -> Known:
        known = Known(is_enabled=self.is_enabled(schedule), cooldown_until=self._cooldown(schedule))
        paused = self._paused(schedule)
        if paused is not None:
            known.paused_until, known.pause_reason = parse_iso(paused["until"]), str(paused["reason"] or "")
        if schedule.policy.blackouts:
            known.blackout = partial(self.maker.blackout, schedule)
        return known

    def _cooldown(self, schedule: Schedule) -> float:
        """Until when; 0: none. A probe that was cut off says nothing, so its cool-down goes on."""
        kept = self.kept().get(schedule.id) or {}
        until = parse_iso(kept.get("breaker_until")) or 0.0
        return until if kept.get("breaker") in (OPEN, HALF_OPEN) and until > self.now else 0.0

    def _row(self, schedule: Schedule) -> Facts:
        plan = self.plan(schedule)
        next_ = self._next(plan)
        kept = self.kept().get(schedule.id) or {}
        enabled, paused = self.is_enabled(schedule), self._paused(schedule)
        cooldown = self._cooldown(schedule)
        status = "disabled" if not enabled else "paused" if paused else "cooldown" if cooldown else "active"
        return {
            "id": schedule.id,
            "plugin": schedule.plugin,
            "tenant": schedule.tenant,
            "description": schedule.description,
            "rule": plan.rule.times.describe(),
            "zone": self.zone_of(schedule).name,
            "source": schedule.source,
            "enabled": enabled,
            "paused": paused,
            "status": status if next_ is not None or status != "active" or _follows(schedule) else "finished",
            "next_run": next_ and next_["nominal"],
            "next_due": next_ and next_["due"],
            "next_reason": "" if next_ is None and _follows(schedule) else _reason(next_),
            "by_ends": _follows(schedule),
            "total_runs": kept.get("total") or 0,
            "successful_runs": kept.get("succeeded") or 0,
            "failed_runs": kept.get("failed") or 0,
            "consecutive_failures": kept.get("streak") or 0,
            "last_result": kept.get("last_result"),
            "last_run": kept.get("last_run"),
            "last_run_at": kept.get("last_at"),
            "last_duration_s": kept["last_ms"] / 1000 if kept.get("last_ms") is not None else None,
            "average_s": kept["avg_ms"] / 1000 if kept.get("avg_ms") is not None else None,
            "running": [],
            "queued": 0,
            "cooldown_until": iso(cooldown) if cooldown else None,
            "steps": list(schedule.steps),
        }

    def _next(self, plan: Plan) -> Facts | None:
        """The first that would run; the first of all where none does."""
        found = list(self._slots(plan, self._known(plan.schedule), 1))
        return told(plan, next((each for each in found if each[3] is None), found[0])) if found else None


def _go_on(plan: Plan, start: int) -> None:
    """Up to that moment it runs again and again, and its runs take no time."""
    due = plan.after_end()
    if due is not None and due < start:
        plan.last_at = due + (ceil((start - due) / plan.after_finish) - 1) * plan.after_finish


def _judged(plan: Plan, fire: Fire, due: Due, known: Known) -> Facts:
    return told(plan, of_rule(fire, due, known.hold(plan.rule, due)))


def _reason(slot: Facts | None) -> str:
    if slot is None:
        return "it has no further slots"  # of its own
    return "" if slot["would"] == "run" else str(slot["would"])


def _follows(schedule: Schedule) -> bool:
    """It has slots that ends of runs make."""
    return any(each["kind"] == "after" or each.get("after_finish") for each in schedule.triggers)
