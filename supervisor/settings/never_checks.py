"""Times that exclude, validFrom or validUntil takes out: where nothing is left, a schedule is silent for ever."""

from __future__ import annotations

from supervisor.core.timeline import Timeline
from supervisor.core.trigger import Once, OnWalls
from supervisor.settings.triggers import moment
from supervisor.settings.written_schedule import WrittenSchedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.zone import Zone


def check_times(written: WrittenSchedule, timeline: Timeline, zone: Zone, now: float) -> None:
    """All of it are warnings: as time goes by, the last slots may be left by themselves."""
    first, last = timeline.valid_from, timeline.valid_until
    if not (first or last or timeline.exclude) or (last and last < max(first, now)):
        return  # nothing takes any out; or they are over, or wrong, which has been said
    for place, text in enumerate(written.keys.once or ()):
        at = moment(text, zone)
        reason = _why_not(timeline, at) if at > now else None
        if reason is not None:
            written.report(("once", place), f"never comes: {reason[0]}", reason[1], level="warning")
    # When an interval, or what follows another run, comes is not known here.
    is_known = all(isinstance(each, OnWalls | Once) for each in timeline.triggers)
    has_rule = any(isinstance(each, OnWalls) for each in timeline.triggers)  # single times have been looked at
    if is_known and has_rule and timeline.next(int(now)) is None:
        _report_none(written, timeline)


def _why_not(timeline: Timeline, at: int) -> tuple[str, str] | None:
    """And what helps."""
    if timeline.valid_until and at > timeline.valid_until:
        return "it is after validUntil", "write an earlier time, or a later validUntil"
    if at < timeline.valid_from:
        return "it is before validFrom", "write a later time, or an earlier validFrom"
    if timeline.is_excluded(at):
        return "it lies on a date of exclude", "take that date out of exclude, or write another time"
    return None


def _report_none(written: WrittenSchedule, timeline: Timeline) -> None:
    left = " that exclude leaves" if timeline.exclude else ""
    fewer = ", or take dates out of exclude" if left else ""
    written.report(
        ("validUntil",) if timeline.valid_until else ("exclude",),
        f"never runs: it has no slot{' up to then' if timeline.valid_until else ''}{left}",
        f"write a later date, or other times{fewer}",
        level="warning",
        at_key=True,
    )
