"""From where the slots of a schedule are still to be decided: when it is seen first, after a restart, after an edit.

Each says whether the history is to know of it (`keep`). That is told once all plans are there: what is made for it and
goes again leaves no holes between what stays.
"""

from __future__ import annotations

from supervisor.model.run import Skip
from supervisor.runs.plan import waits_for
from supervisor.runs.planner import BIG_STEP_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.model.schedule import Schedule
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan
    from supervisor.store.rows import Loaded

JUST_SEEN_S = 60.0  # later it is the history that is gone, and nothing runs for that
EDITED, REMOVED = "the schedule has been changed", "the schedule has been removed"


def is_ahead(at: float, now: float) -> bool:
    """Noted by a clock that was ahead, and has been set right since: not to be waited for."""
    return at > now + BIG_STEP_S


def keep(desk: Desk, plan: Plan) -> None:
    desk.outcomes.note_state(plan.id, revision=plan.schedule.revision, cursor=plan.cursor)


def anchor_of(schedule: Schedule, seen: int | None, now: float) -> tuple[int, bool]:
    """From when its intervals are counted, and whether that is now. `seen`: when it was seen first; only of those."""
    if not any(trigger["kind"] == "interval" for trigger in schedule.triggers):
        return 0, False
    return (int(now), True) if seen is None or is_ahead(seen, now) else (seen, False)


def see_first(plan: Plan, now: float, *, is_new: bool) -> bool:
    """An interval begins with its anchor, all others with what comes. Kept, so that what is missed next counts."""
    plan.cursor = int(now) - 1 if is_new and plan.schedule.run_at_start else int(now)
    return True


def see_anew(plan: Plan, now: float, *, is_new: bool) -> bool:
    """The history does not know it. If it was seen before, then that was lost, and nothing runs because of it."""
    if plan.after_finish and not is_new:
        plan.finish_slot = int(now)
    return see_first(plan, now, is_new=is_new)


def restore(plan: Plan, loaded: Loaded, now: float, decode: Callable[[str], Any], *, is_new: bool) -> bool:
    """As the history has it."""
    row, cursor = loaded.schedules.get(plan.id), loaded.cursors.get(plan.id)
    if row is not None:
        plan.restore(row, decode)
        plan.last_at = min(plan.last_at, now)
    plan.held_ends = loaded.held_ends.get(plan.id, ())
    if cursor is None:
        if not loaded.trouble and 0 <= now - plan.anchor < JUST_SEEN_S:  # whoever saw it died before that was kept
            now, is_new = float(plan.anchor), True
        return see_anew(plan, now, is_new=is_new)
    _place_as(plan, loaded, now)
    return row is None or bool(row["revision"] != plan.schedule.revision)


def _place_as(plan: Plan, loaded: Loaded, now: float) -> bool:
    """False: it is not known there."""
    row, cursor = loaded.schedules.get(plan.id), loaded.cursors.get(plan.id)
    if cursor is None:
        return False
    newest, decided = loaded.newest.get(plan.id, 0), loaded.decided.get(plan.id)
    place(plan, cursor, newest, decided, None if row is None else row["revision"], now, is_of_a_time=True)
    return True


def place(
    plan: Plan, cursor: int, newest: int, decided: int | None, revision: str | None, now: float, *,
    is_of_a_time: bool = False,
) -> None:  # fmt: skip
    """Where the history has left it. `newest`, `decided`: the last slot that it knows of, and when that was.

    The cursor may be that of such a slot, too, if it is not of a time for sure.
    """
    if plan.after_finish:
        plan.finish_slot = min(_last_slot(plan, cursor, decided), int(now))
    if revision not in (None, plan.schedule.revision):
        plan.cursor = max(int(now), cursor)  # another rule: what it would have done before is nobody's loss
    else:
        plan.cursor = _last_decided(plan, cursor, max(cursor, newest), now, is_of_a_time=is_of_a_time)
    if is_ahead(plan.cursor, now):
        plan.cursor = int(now)


def _last_slot(plan: Plan, cursor: int, decided: int | None) -> int:
    """What after-finish is counted from, beside the end of a run: no cursor, which also an edit moves.

    But where the history knows nothing else, it may have been lost since the schedule was first seen.
    """
    if decided is not None:
        return decided
    return 0 if plan.last_at or cursor <= plan.anchor else cursor


def _last_decided(plan: Plan, cursor: int, newest: int, now: float, *, is_of_a_time: bool) -> int:
    """Of a time: the slot of an end may have come before an earlier one was due. Of its own ends no row says so."""
    if not plan.after_finish and not waits_for(plan.schedule):
        return cursor
    plan.paused_at = min(newest, int(now))  # the slot of an end may lie in the future
    if is_of_a_time and not plan.after_finish:
        return cursor
    cursor = plan.paused_at
    fire = plan.rule.times.prev(cursor + 1)
    return fire.at - 1 if fire is not None and plan.rule.due(fire).at > cursor else cursor


def know_ends(desk: Desk, loaded: Loaded, now: float) -> None:
    """Which have their slots already, where slots of a time were missed: those are told around them."""
    for name, ends in loaded.ends.items():
        plan = desk.plans.get(name)
        fire = None if plan is None else plan.rule.times.next(plan.cursor)
        if fire is not None and fire.at <= now:
            desk.outcomes.seconds.know(name, ends)


def pass_gaps(desk: Desk, plan: Plan, loaded: Loaded, now: float) -> None:
    """Slots that nobody has decided, as who came next did not know where its predecessor had left off."""
    known = loaded.cursors.get(plan.id)
    if known is not None:  # what comes after all that is decided is missed in its own way
        for before, until in loaded.gaps:
            pass_gap(desk, plan, before, min(until, known), now)


def pass_gap(desk: Desk, plan: Plan, before: Loaded, until: int, now: float) -> None:
    """Its slots from the cursor of then until that time are missed. Where it stands itself stays."""
    ours, finish_slot, paused_at = plan.cursor, plan.finish_slot, plan.paused_at
    if _place_as(plan, before, now):
        if plan.cursor < until:
            desk.planner.skip_to(plan, until, Skip.MISSED)
        plan.cursor, plan.finish_slot = ours, max(plan.finish_slot, finish_slot)
        plan.paused_at = max(plan.paused_at, paused_at)


def go_on(desk: Desk, before: Plan, plan: Plan, now: float) -> bool:
    """The same schedule under other settings, or the same ones."""
    for name in (
        "accepted", "breaker", "cycle", "failed", "finish_slot", "held_ends", "last_at", "last_result", "last_run",
        "last_took", "paused_at", "queued", "recent", "stretch", "succeeded", "total",
    ):  # fmt: skip
        setattr(plan, name, getattr(before, name))
    desk.planner.forget(before)
    if before.schedule.revision == plan.schedule.revision:
        plan.cursor = before.cursor
        return False
    desk.planner.skip_to(before, now, Skip.EDITED)
    plan.cursor = before.cursor
    desk.turns.drop_queue(plan, EDITED)
    return True


def remove(desk: Desk, plan: Plan, now: float) -> None:
    desk.planner.forget(plan)
    desk.planner.skip_to(plan, now, Skip.EDITED)
    desk.turns.drop_queue(plan, REMOVED)
