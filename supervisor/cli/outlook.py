"""What would run next, reckoned without a scheduler: from the settings, the history and pause.flag.

The same rows as the scheduler answers to `schedules`, and the same slots as to `next`, made by the same planner, as far
as they can be known without it: not what a check would say.
"""

from __future__ import annotations

import time
from functools import partial

from supervisor.base.clock import iso
from supervisor.base.errors import Problem
from supervisor.cli import past
from supervisor.cli.pausing import flag
from supervisor.cli.times import parse_iso
from supervisor.cli.wishes import wishes_of
from supervisor.cli.zones import zone_named
from supervisor.core.breaker import HALF_OPEN, OPEN
from supervisor.core.coming import Known, Nearest, coming
from supervisor.core.timeline import Timeline
from supervisor.model.identity import read_home_id
from supervisor.model.wishes import is_over
from supervisor.runs.plan import Maker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from supervisor.core.coming import Hold
    from supervisor.core.cron_search import Fire
    from supervisor.core.due import Due, Rule
    from supervisor.core.zone import Zone
    from supervisor.model.home import Home
    from supervisor.model.schedule import Catalogue, Schedule

    Facts = dict[str, Any]


class Outlook:
    """One look at the future of a home."""

    def __init__(
        self, home: Home, schedules: Catalogue, now: float | None = None, kept: dict[str, Facts] | None = None
    ) -> None:
        self.now = time.time() if now is None else now
        self._schedules = schedules
        self._maker = Maker(schedules, zone_named, read_home_id(home) or "")
        self._home = home
        self._kept = kept  # None: not yet read
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

    def zone_of(self, schedule: Schedule) -> Zone:
        return self._maker.zone_of(schedule)

    def rule(self, schedule: Schedule) -> Rule:
        """An interval is counted from when it was first seen; one never seen begins now."""
        seen = self._wishes.first_seen(schedule.id)
        return self._maker.plan(schedule, int(self.now) if seen is None else seen).rule

    def _paused(self, schedule: Schedule) -> Facts | None:
        """As of `schedules`: by the file, else its own."""
        own = self._wishes.paused(schedule.id)
        if self._flag is not None or own is None or is_over(own, self.now):
            return self._flag
        until = None if own["until"] is None else iso(own["until"])
        return {"at": iso(own["at"]), "by": own["by"], "reason": own["reason"], "until": until}

    def _enabled(self, schedule: Schedule) -> bool:
        wish = self._wishes.enabled(schedule.id)
        return schedule.enabled if wish is None else wish

    def rows(self, ids: Sequence[str]) -> list[Facts]:
        return [self._row(self._schedules.schedules[id]) for id in ids]

    def slots(self, ids: Sequence[str], count: int) -> list[Facts]:
        """The next ones of them all, by when they are due, and what is held before the last of them."""
        nearest = Nearest(count)
        for id in sorted(ids):
            schedule = self._schedules.schedules[id]
            rule = self.rule(schedule)
            for fire, due, hold in coming(rule, self._begin(schedule, rule), self._known(schedule), count):
                if not nearest.add(due.at, hold, _slot(schedule, fire, due, hold)):
                    break
        return nearest.slots()

    def walk(self, id: str) -> Iterator[tuple[int, Callable[[], Facts] | None]]:
        """All of its slots to come, by nominal time; None: it is disabled, or hours or a blackout do not let it run."""
        schedule = self._schedules.schedules[id]
        rule = self.rule(schedule)
        known, stands = self._known(schedule), Known(is_enabled=self._enabled(schedule))
        stands.blackout = known.blackout
        at = self._begin(schedule, rule)
        while (fire := rule.times.next(at)) is not None:
            at, due = fire.at, rule.due(fire)
            runs = stands.hold(rule, due) is None
            yield at, partial(_judged, schedule, rule, fire, due, known) if runs else None

    def _begin(self, schedule: Schedule, rule: Rule) -> int:
        """After what was decided: the last slot may be late by its jitter, or put off until its hours open.

        An interval that was never seen is due at once.
        """
        has_interval = any(data["kind"] == "interval" for data in schedule.triggers)
        is_new = self._wishes.first_seen(schedule.id) is None and schedule.run_at_start and has_interval
        last = rule.times.prev(int(self.now) + 1)
        if not is_new and last is not None and rule.due(last).at > self.now and self._is_open(schedule, last.at):
            return last.at - 1
        return int(self.now) - is_new

    def _is_open(self, schedule: Schedule, nominal: int) -> bool:
        """That slot is still to be decided; after an edit those before it are nobody's."""
        kept = self.kept().get(schedule.id) or {}
        cursor = parse_iso(kept.get("cursor"))
        if cursor is None or cursor >= nominal or kept["revision"] not in (None, schedule.revision):
            return False
        return past.newest_slot(self._home, schedule.id) < nominal

    def _known(self, schedule: Schedule) -> Known:
        known = Known(is_enabled=self._enabled(schedule), cooldown_until=self._cooldown(schedule))
        paused = self._paused(schedule)
        if paused is not None:
            known.paused_until, known.pause_reason = parse_iso(paused["until"]), str(paused["reason"] or "")
        if schedule.policy.blackouts:
            known.blackout = partial(self._maker.blackout, schedule)
        return known

    def _cooldown(self, schedule: Schedule) -> float:
        """Until when; 0: none. A probe that was cut off says nothing, so its cool-down goes on."""
        kept = self.kept().get(schedule.id) or {}
        until = parse_iso(kept.get("breaker_until")) or 0.0
        return until if kept.get("breaker") in (OPEN, HALF_OPEN) and until > self.now else 0.0

    def _row(self, schedule: Schedule) -> Facts:
        rule = self.rule(schedule)
        next_ = self._next(schedule, rule)
        kept = self.kept().get(schedule.id) or {}
        enabled, paused = self._enabled(schedule), self._paused(schedule)
        cooldown = self._cooldown(schedule)
        status = "disabled" if not enabled else "paused" if paused else "cooldown" if cooldown else "active"
        return {
            "id": schedule.id,
            "plugin": schedule.plugin,
            "tenant": schedule.tenant,
            "description": schedule.description,
            "rule": _describe(rule),
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

    def _next(self, schedule: Schedule, rule: Rule) -> Facts | None:
        """The first that would run; the first of all where none does."""
        found = list(coming(rule, self._begin(schedule, rule), self._known(schedule), 1))
        if not found:
            return None
        fire, due, hold = next((each for each in found if each[2] is None), found[0])
        return _slot(schedule, fire, due, hold)


def _judged(schedule: Schedule, rule: Rule, fire: Fire, due: Due, known: Known) -> Facts:
    return _slot(schedule, fire, due, known.hold(rule, due))


def _slot(schedule: Schedule, fire: Fire, due: Due, hold: Hold | None) -> Facts:
    note = fire.shifted or ("moved into its active hours" if due.moved else "")
    return {
        "schedule": schedule.id,
        "nominal": iso(float(fire.at)),
        "due": iso(due.at),
        "rule": fire.rule,
        "note": note or (hold.reason if hold is not None else ""),
        "would": "run" if hold is None else hold.skip.value,
        "until": iso(hold.until) if hold is not None and hold.until else None,
    }


def _describe(rule: Rule) -> str:
    times = rule.times
    return times.describe() if isinstance(times, Timeline) else ""


def _reason(slot: Facts | None) -> str:
    if slot is None:
        return "it has no further slots"  # of its own
    return "" if slot["would"] == "run" else str(slot["would"])


def _follows(schedule: Schedule) -> bool:
    """It has slots that ends of runs make."""
    return any(each["kind"] == "after" or each.get("after_finish") for each in schedule.triggers)
