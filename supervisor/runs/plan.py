"""One schedule as the planner has it: its rule, how far it has been considered, and what is known of its runs.

There may be a hundred thousand of these, so what most never need is made when it is needed.
"""

from __future__ import annotations

from supervisor.core import trigger
from supervisor.core.breaker import Breaker
from supervisor.core.due import Rule
from supervisor.core.hours import Blackout, Hours
from supervisor.core.timeline import Timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.core.zone import Zone
    from supervisor.model.run import Skip
    from supervisor.model.schedule import Catalogue, Schedule
    from supervisor.runs.run import Run

    Zones = Callable[[str], Zone]

RECENT = 20  # durations that are remembered to tell what is usual
ENOUGH = 5


class Plan:
    """Times are wall clock; `cursor` is the nominal time up to which every slot has been decided."""

    __slots__ = (
        "accepted", "after_finish", "anchor", "breaker", "cursor", "cycle", "failed", "finish_slot", "held_ends",
        "id", "last_at", "last_result", "last_run", "last_took", "paused_at", "queued", "recent", "rule", "schedule",
        "stamp", "stretch", "succeeded", "total", "wake",
    )  # fmt: skip

    def __init__(self, schedule: Schedule, rule: Rule, anchor: int) -> None:
        self.schedule = schedule
        self.id = schedule.id
        self.rule = rule
        self.anchor = anchor
        self.cursor = 0
        self.wake: float | None = None
        self.stamp = 0  # of its newest place in the heap; older ones are passed over
        self.after_finish = 0.0  # seconds; 0: it does not go by the ends of its runs
        self.finish_slot = 0  # the last of those slots that was decided
        self.paused_at = 0  # the newest slot that a pause has held, or after a restart the newest of all
        self.held_ends: tuple[int, ...] = ()  # the newest slots of ends of others that a pause has held, in order
        self.stretch: Skip | None = None  # why the slot before was skipped: said once, not for each
        self.queued: tuple[Run, ...] = ()
        self.breaker = NOTHING_WRONG
        self.accepted: dict[str, Any] | None = None
        self.recent: tuple[float, ...] = ()
        self.cycle = self.total = self.succeeded = self.failed = 0
        self.last_run = self.last_result = ""
        self.last_at = self.last_took = 0.0

    def restore(self, row: dict[str, Any], decode: Callable[[str], Any]) -> None:
        """From the history's row of it."""
        for name in ("cycle", "total", "succeeded", "failed"):
            setattr(self, name, row[name] or 0)
        self.last_run, self.last_result = row["last_run"] or "", row["last_result"] or ""
        self.last_at, self.last_took = (row["last_at"] or 0) / 1000, (row["last_ms"] or 0) / 1000
        if row["streak"] or row["breaker"]:
            self.breaker = Breaker(
                row["breaker"] or "closed",
                streak=row["streak"] or 0,
                until=(row["breaker_until"] or 0) / 1000,
                opens=row["breaker_opens"] or 0,
            )
        if row["accepted"]:
            try:
                self.accepted = decode(row["accepted"])
            except ValueError:
                self.accepted = None
        if row["recent"]:
            try:
                self.recent = tuple(float(each) for each in decode(row["recent"]))[-RECENT:]
            except (ValueError, TypeError):
                self.recent = ()

    def after_end(self) -> float | None:
        """When it is due by the end of its last run; None: it does not go by that."""
        if not self.after_finish:
            return None
        since = max(self.last_at, float(self.finish_slot))
        if not since:  # its first one
            since = self.anchor - (self.after_finish if self.schedule.run_at_start else 0.0)
        return self.rule.times.allowed(since + self.after_finish)

    def slot_before(self, nominal: int) -> int | None:
        """The slot just before this one; None: there is none, or another one may still come between.

        The slot of an end is the moment of that end, which may be told late; those of `after` are never said to follow
        each other. With after-finish alone only a run lies between two of them.
        """
        if self.after_finish:
            return int(self.last_at) if len(self.schedule.triggers) == 1 else None
        fire = None if waits_for(self.schedule) else self.rule.times.prev(nominal)
        return None if fire is None else fire.at

    def usual(self) -> tuple[float, float] | None:
        """From and to how long its runs take; None: there were too few."""
        if len(self.recent) < ENOUGH:
            return None
        ordered = sorted(self.recent)
        return ordered[len(ordered) // 20], ordered[-1 - len(ordered) // 20]


NOTHING_WRONG = Breaker()


class Maker:
    """Makes plans out of the catalogue; what many share is made once."""

    def __init__(self, catalogue: Catalogue, zones: Zones, seed: str) -> None:
        self._catalogue = catalogue
        self._zones = zones
        self._seed = seed
        self._times: dict[tuple[Any, ...], tuple[Timeline, Schedule]] = {}
        self._hours: dict[tuple[str, str], Hours] = {}
        self._blackouts: dict[tuple[str, str], Blackout] = {}

    def go_on(self, catalogue: Catalogue) -> None:
        """Other settings with the same zone and calendars: plans that were made here stay."""
        self._catalogue = catalogue
        self._hours.clear()  # who has some keeps them

    def zone_of(self, schedule: Schedule) -> Zone:
        return self._zones(schedule.zone or self._catalogue.zone)

    def plan(self, schedule: Schedule, anchor: int) -> Plan:
        times, policy = self._timeline(schedule, anchor), schedule.policy
        held = (lambda at: self.blackout(schedule, at) is not None) if policy.blackouts else None
        plan = Plan(schedule, Rule(schedule, times, self.hours(schedule), self._seed, anchor, held), anchor)
        for each in times.triggers:
            if isinstance(each, trigger.AfterFinish):
                plan.after_finish = each.seconds
        return plan

    def _timeline(self, schedule: Schedule, anchor: int) -> Timeline:
        """One for all that have the same triggers and policy, which the catalogue shares already."""
        triggers = schedule.triggers
        counted = any(each["kind"] == "interval" for each in triggers)
        own = any("H" in each.get("expr", "").upper() for each in triggers)  # which may stand for its own minute
        key = id(triggers), id(schedule.policy), schedule.zone, anchor if counted else 0, schedule.id if own else ""
        known = self._times.get(key)
        if known is None:  # with the schedule, so that nobody else gets its two ids
            known = self._times[key] = self._make_timeline(schedule, anchor), schedule
        return known[0]

    def _make_timeline(self, schedule: Schedule, anchor: int) -> Timeline:
        zone, policy = self.zone_of(schedule), schedule.policy
        triggers = [
            trigger.build(data, zone=zone, zones=self._zones, key=schedule.id, anchor=anchor, dst=policy.dst)
            for data in schedule.triggers
        ]
        return Timeline(
            triggers,
            zone=zone,
            exclude=policy.exclude,
            valid_from=policy.valid_from,
            valid_until=policy.valid_until,
        )

    def made_all(self) -> None:
        """What is made later is a schedule or two."""
        self._times.clear()

    def hours(self, schedule: Schedule) -> Hours:
        zone = self.zone_of(schedule)
        windows = schedule.policy.active_hours
        key = (zone.name, repr(windows) if windows else "")
        hours = self._hours.get(key)
        if hours is None:
            hours = self._hours[key] = Hours(windows, zone)
        return hours

    def blackout(self, schedule: Schedule, at: int) -> tuple[str, int] | None:
        """The calendar that this moment lies in, and until when."""
        zone = self.zone_of(schedule)
        for name in schedule.policy.blackouts:
            blackout = self._blackouts.get((name, zone.name))
            if blackout is None:
                rules = self._catalogue.calendars.get(name, [])
                blackout = self._blackouts[name, zone.name] = Blackout(rules, zone)
            until = blackout.holds(at)
            if until is not None:
                return name, until
        return None


def waits_for(schedule: Schedule) -> list[dict[str, Any]]:
    """Its triggers that follow another schedule."""
    return [each for each in schedule.triggers if each["kind"] == "after"]
