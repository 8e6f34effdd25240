"""A year in a moment: the planner's own decisions on a clock that jumps from wake-up to wake-up.

`judge` says what is due and what passes, the gates say what is held, exactly as in the daemon. What can't be known is
left out: nobody pauses anything, every check is green, and a run takes as long as it is said to.
"""

from __future__ import annotations

from array import array

from supervisor.base.clock import iso
from supervisor.core.due import judge
from supervisor.core.gates import SKIP, WAIT, Standing, first_held
from supervisor.core.timeline import Timeline
from supervisor.core.trigger import After
from supervisor.runs.meetings import meetings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from supervisor.core.gates import Held
    from supervisor.runs.plan import Maker, Plan

FIRST = 5
DAY_S = 86_400
MAX_CHANGES = 50
MOST = 550_000  # slots of one schedule that are looked at: one a minute for a year
MOST_OF_ALL = 3_000_000  # of all together: half a minute
LEAST = 20_000
MOST_COMPARED = 200  # schedules; more than that are not compared with each other


class Course:
    """What becomes of one schedule."""

    def __init__(self, plan: Plan, start: int, *, keeps: bool, is_enabled: bool) -> None:
        self.plan = plan
        self.is_enabled = is_enabled
        self.start = start
        self.runs = 0
        self.skipped: dict[str, int] = {}
        self.first: list[float] = []
        self.starts = array("d") if keeps else None  # all of them; None: nobody compares them
        self.last = float(start)
        self.gap = (0.0, float(start), float(start))
        self.dst: list[str] = []
        self.began = self.busy_until = 0.0
        self.by_end: float | None = None  # when it is due by the end of its run before
        self.put_off_to = 0.0  # ... and waits for its hours; 0: it does not
        self.cut = 0.0  # where it was given up; 0: it was followed to the end

    def run(self, at: float, took: float, note: str) -> None:
        self.runs += 1
        if len(self.first) < FIRST:
            self.first.append(at)
        self.silence(at)
        self.last = self.began = at
        self.busy_until = at + took
        if self.plan.after_finish and not self.put_off_to:
            self.by_end = self.busy_until + self.plan.after_finish
        if self.starts is not None:
            self.starts.append(at)
        if note and len(self.dst) < MAX_CHANGES:
            self.dst.append(f"{iso(at)}: {note}")

    def silence(self, at: float) -> None:
        if at - self.last > self.gap[0]:
            self.gap = (at - self.last, self.last, at)

    def clock_rules(self) -> list[str]:
        """What changes of the clock do to it; of several triggers each rule once."""
        times = self.plan.rule.times
        each = [one.clock_rule() for one in times.triggers] if isinstance(times, Timeline) else []
        return list(dict.fromkeys(text for text in each if text))

    def follows(self) -> list[str]:
        """The ends of other runs that make slots of it; when those come, nobody can know."""
        times = self.plan.rule.times
        each = times.triggers if isinstance(times, Timeline) else ()
        return [one.describe() for one in each if isinstance(one, After)]

    def skip(self, reason: str, count: int) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + count


def simulate(
    plans: Iterable[Plan],
    maker: Maker,
    *,
    start: int,
    end: int,
    took: Mapping[str, float] | None = None,
    disabled: Iterable[str] = (),
) -> dict[str, dict[str, Any]]:
    """By schedule: runs, skipped, the longest silence, days of other offsets, and who starts at the same time.

    `plans`: as they are at the start; each goes on from its cursor. `took`: how long the runs of a schedule take, in
    seconds.
    """
    plans, off = list(plans), frozenset(disabled)
    most = max(LEAST, min(MOST, MOST_OF_ALL // max(len(plans), 1)))
    courses: dict[str, Course] = {}
    for plan in plans:
        course = courses[plan.id] = Course(
            plan, start, keeps=1 < len(plans) <= MOST_COMPARED, is_enabled=plan.id not in off
        )  # fmt: skip
        _follow(course, maker, end, (took or {}).get(plan.id, 0.0), most)
    met = meetings({name: its.starts for name, its in courses.items() if its.starts is not None}, start)
    return {name: _facts(course, met.get(name, []), maker, start, end) for name, course in courses.items()}


def _follow(course: Course, maker: Maker, end: int, took: float, left: int) -> None:
    plan, start = course.plan, course.start
    wake = judge(plan.rule, plan.cursor, float(plan.cursor)).wake
    by_end = plan.after_end()
    course.by_end = None if by_end is None else max(by_end, float(start))
    while (at := min((each for each in (wake, course.by_end) if each is not None), default=end)) < end:
        left -= 1
        if left < 0:
            course.cut = at
            break
        if at == course.put_off_to:  # it has waited, so it is first
            _by_end(course, maker, at, took)
        if at == wake:
            wake = _by_rule(course, maker, at, took)
        if at == course.by_end:
            _by_end(course, maker, at, took)
    course.silence(course.cut or end)


def _by_rule(course: Course, maker: Maker, wake: float, took: float) -> float | None:
    """What is due by the rules of time; answers when the next one is."""
    plan = course.plan
    judged = judge(plan.rule, plan.cursor, wake)
    for passed in judged.passed:
        course.skip(passed.reason.value, passed.count or 1)
    for chosen in judged.chosen:
        held = _held(course, maker, wake)
        if held is not None and held.action == SKIP:
            course.skip(held.skip.value, 1)
        else:
            course.run(max(wake, course.busy_until) if held is not None else wake, took, chosen.fire.shifted)
    plan.cursor = judged.cursor
    # One that is not later can't be; and must not go on for ever.
    return judged.wake if judged.wake is not None and judged.wake > wake else None


def _by_end(course: Course, maker: Maker, at: float, took: float) -> None:
    """The slot that the end of the run before makes. It is put off where the hours say so, and is the next one then."""
    plan, times = course.plan, course.plan.rule.times
    if not course.put_off_to:  # else the slot is a moment before
        allowed = times.allowed(at)
        if allowed != at:  # a day that is left out, or the end of its dates
            course.by_end = allowed
            return
        by_rule = times.prev(int(at) + 1)
        if by_rule is not None and by_rule.at == int(at):  # the same slot, so it is decided
            course.by_end = int(at) + plan.after_finish
            return
    held = _held(course, maker, at)
    if held is not None and held.action == WAIT:
        course.by_end = course.put_off_to = held.until
        return
    course.put_off_to = 0.0
    if held is not None and held.action == SKIP:
        course.skip(held.skip.value, 1)
        course.by_end = int(at) + plan.after_finish
    else:
        course.run(at, took, "")


def _held(course: Course, maker: Maker, at: float) -> Held | None:
    plan, schedule = course.plan, course.plan.schedule
    standing = Standing()
    standing.enabled = course.is_enabled
    standing.hours_open = plan.rule.hours.is_open(int(at))
    if not standing.hours_open:
        standing.opens_at = float(plan.rule.hours.next_open(int(at)) or 0)
    blackout = maker.blackout(schedule, int(at)) if schedule.policy.blackouts else None
    if blackout is not None:
        standing.blackout_name = blackout[0]
    standing.running = int(at < course.busy_until or at == course.began)
    return first_held(schedule.policy, standing, at)


def _facts(course: Course, collisions: list[dict[str, Any]], maker: Maker, start: int, end: int) -> dict[str, Any]:
    zone = maker.zone_of(course.plan.schedule)
    changes = [
        f"{iso(at)}: the clocks go {'forward' if after > before else 'back'} by {abs(after - before) // 60} min"
        for at, before, after in zone.transitions(start, end)
    ]
    return {
        "runs": course.runs,
        "skipped": course.skipped,
        "follows": course.follows(),
        "cut": bool(course.cut),
        "followed_to": iso(course.cut or float(end)),
        "longest_gap_s": round(course.gap[0], 3),
        "gap_from": iso(course.gap[1]),
        "gap_to": iso(course.gap[2]),
        "clock_rules": course.clock_rules(),
        "dst": changes[:MAX_CHANGES] + course.dst,
        "first": [iso(at) for at in course.first],
        "collisions": sorted(collisions, key=lambda each: (-each["count"], each["with"])),
    }
