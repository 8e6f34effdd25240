"""What of a schedule can't be, or has no effect: said, because whoever wrote it counts on it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pydantic.alias_generators import to_camel

from supervisor.core.hours import Blackout, Hours
from supervisor.core.timeline import Timeline
from supervisor.core.trigger import Interval
from supervisor.settings.findings import Path, shorten
from supervisor.settings.load import Loaded
from supervisor.settings.schedule_keys import INTERVALS
from supervisor.settings.shape import given
from supervisor.settings.written_schedule import WrittenSchedule

MOST_PROBES = 1000  # of slots, for one that may run: two a day are looked at for all of the time below
LEAST_PROBES = 10  # the 29th of February may lie outside once and within the next time
ALL_PROBES = 50_000  # ... of all schedules together: a mistake is found in the first ones, or costs too much
LOOK_AHEAD_S = 400 * 86_400

# A key that says more about others, and those others: one of them must be there.
_BELONG_TO = {
    "after_finish": INTERVALS,
    "weekdays": ("at",),
    "seconds": ("cron",),
    "run_at_start": INTERVALS,
    "jitter": ("jitter_minutes", "jitter_seconds"),
}


def check_keys(written: WrittenSchedule) -> None:
    """Of one schedule, what needs no look at the clock."""
    keys = written.keys
    for name, others in _BELONG_TO.items():
        value = getattr(keys, name)
        if value not in (None, False, "none") and written.says(name) and all(getattr(keys, o) is None for o in others):
            wanted = " or ".join(to_camel(other) for other in others)
            _useless(written, (to_camel(name),), f"without {wanted} it says nothing", f"add {wanted}, or remove it")
    _check_missed(written)
    _check_overlap(written)
    _check_retry(written)
    if keys.step_timeout_minutes and keys.timeout_minutes and keys.step_timeout_minutes > keys.timeout_minutes:
        message = "is longer than timeoutMinutes, which is the limit of the whole run"
        _useless(written, ("stepTimeoutMinutes",), message, "write less, or remove it")
    safety = keys.safety
    if safety is not None and None not in (safety.min_data_threshold, safety.max_data_threshold):
        assert safety.min_data_threshold is not None
        assert safety.max_data_threshold is not None
        if safety.min_data_threshold > safety.max_data_threshold:
            written.report(("safety", "minDataThreshold"), "is more than maxDataThreshold", "correct one of the two")


def _check_missed(written: WrittenSchedule) -> None:
    keys = written.keys
    if keys.missed == "all" and keys.overlap in (None, "skip"):
        written.report(
            ("missed",),
            "all contradicts overlap: skip (which counts if it is not given): all but one of them would be left out",
            'write "overlap": "queueAll", or "missed": "latest"',
        )
    if keys.missed == "all" and keys.overlap in ("cancelOther", "killOther"):
        message = f"with overlap: {keys.overlap} the next slot takes the place of those that still wait to be made up"
        _useless(written, ("missed",), message, 'write "overlap": "queueAll", or "missed": "latest"')
    if written.says("missed_max") and keys.missed != "all":
        _useless(written, ("missedMax",), "counts only with missed: all", 'write "missed": "all", or remove it')
    if keys.missed == "skip":
        for name in ("missed_window_hours", "missed_spread_seconds"):
            if written.says(name):
                _useless(written, (to_camel(name),), "nothing is made up for: missed is skip", "remove one of the two")


def _check_overlap(written: WrittenSchedule) -> None:
    if written.says("overlap_max") and written.keys.overlap not in ("allow", "queueAll"):
        message = "counts only with overlap: allow or queueAll"
        _useless(written, ("overlapMax",), message, 'write "overlap": "queueAll", or remove it')


def _check_retry(written: WrittenSchedule) -> None:
    retry = written.keys.retry
    if retry is None:
        return
    others = [to_camel(name) for name in given(retry) if name != "times"]
    if not retry.times and others:
        _useless(written, ("retry", others[0]), "without times nothing is tried again", 'add "times": 3')
    if retry.times == 0 and not others:
        return
    both = sorted(set(retry.codes or ()) & set(retry.not_codes or ()))
    if both:
        written.report(("retry", "notCodes"), f"exit code {both[0]} is also in codes", "remove it from one of the two")
    elif retry.codes is not None and retry.not_codes is not None:
        _useless(written, ("retry", "notCodes"), "codes says already after which ones", "remove one of the two")


def check_names(loaded: Loaded, written: WrittenSchedule) -> None:
    """Groups, checks and blackouts, which the scheduler file must have."""
    keys, its = written.keys, loaded.scheduler
    if keys.group is not None:
        _check_name(written, ("group",), keys.group, its.groups, "groups")
    if keys.check is not None:
        _check_name(written, ("check",), keys.check, its.checks, "checks")
    for place, name in enumerate(keys.blackouts or ()):
        _check_name(written, ("blackouts", place), name, its.blackouts, "blackouts")


def _check_name(written: WrittenSchedule, path: Path, name: str, known: Iterable[str], what: str) -> None:
    names = list(known)
    if name not in names:
        written.report(path, f"there is no {shorten(name)} in {what}", nearest(name, names, f"add it to {what}"))


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """A remedy for a name that is not there."""
    names = list(known)
    close = difflib.get_close_matches(name[:64], names, 1, 0.6)
    if close:
        return f"did you mean {close[0]}?"
    some = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    return f"{otherwise}; there are: {some}" if names else otherwise


def check_after(schedules: dict[str, WrittenSchedule]) -> None:
    """Schedules that wait for others: those must be there, and not wait in a circle."""
    after: dict[str, list[str]] = {}
    for name, written in schedules.items():
        for place, each in enumerate(written.keys.after_schedule or ()):
            if each.schedule in schedules:
                after.setdefault(name, []).append(each.schedule)
                continue
            remedy = nearest(each.schedule, schedules, "make one of this name, or remove it here")
            path = ("afterSchedule", place, "schedule")
            written.report(path, f"there is no schedule {shorten(each.schedule)}", remedy)
    for circle in _circles(after):
        schedules[circle[0]].report(
            ("afterSchedule",),
            f"a circle, in which each starts the next one for ever: {' -> '.join((*circle, circle[0]))}",
            "remove one of them",
            at_key=True,
        )


def _circles(after: dict[str, list[str]]) -> list[list[str]]:
    """Each circle once, in the order in which the schedules start each other. Without recursion: chains may be long."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in after:
        path: list[str] = []
        place: dict[str, int] = {}
        stack = [(start, 0)]
        while stack:
            name, depth = stack.pop()
            for left in path[depth:]:
                done.add(left)
                del place[left]
            del path[depth:]
            if name in place:
                found.append(_turned(path[place[name] :]))
                continue
            if name in done:
                continue
            place[name] = len(path)
            path.append(name)
            stack += [(other, len(path)) for other in after.get(name, ())]
        done.update(path)
    return found


def _turned(path: list[str]) -> list[str]:
    """Of a path of "comes after" the way round in which they run; the first of them by name in front."""
    circle = path[::-1]
    first = circle.index(min(circle))
    return circle[first:] + circle[:first]


def check_hours(written: WrittenSchedule, timeline: Timeline, hours: Hours, blackout: Blackout, now: float) -> int:
    """A schedule all of whose slots lie outside its hours would never run, and never say so.

    Returns how many slots it has looked at.
    """
    fire = timeline.next(int(now))
    if fire is None:
        return 0
    in_blackout = 0
    for number in range(MOST_PROBES):
        if fire is None or (fire.at > now + LOOK_AHEAD_S and number >= LEAST_PROBES):
            _report_never(written, timeline, outside=number > in_blackout, in_blackout=in_blackout > 0)
            return number
        opens, held = hours.next_open(fire.at), blackout.holds(fire.at)
        if opens is None:
            _report_never(written, timeline, outside=True, in_blackout=False)
            return number + 1
        if opens <= fire.at and held is None:
            return number + 1
        in_blackout += held is not None
        fire = timeline.next(max(fire.at, (opens if held is None else held) - 1))
    return MOST_PROBES


def _report_never(written: WrittenSchedule, timeline: Timeline, *, outside: bool, in_blackout: bool) -> None:
    """Where there is an end anyway, the last slots may be left by themselves as time goes by: that is no error.

    Nor is it of an interval, which need not count from this moment: it was perhaps first seen at another. `outside`:
    some of the slots lie in no blackout, so it is the hours alone that leave them out.
    """
    is_sure = not (timeline.valid_until or written.keys.once or any(isinstance(t, Interval) for t in timeline.triggers))
    key = next((key for key in ("cron", "at", "once") if getattr(written.keys, key) is not None), "activeHours")
    where = ["outside the active hours"] * outside + ["in a blackout"] * in_blackout
    written.report(
        (key,),
        f"never runs: for 400 days each of its slots lies {' or '.join(where)}",
        'choose other times, or write "outsideHours": "defer" or "run"'
        if outside
        else "choose other times, make the blackout shorter, or remove it here",
        level="error" if is_sure else "warning",
        at_key=True,
    )


def _useless(written: WrittenSchedule, path: Path, message: str, remedy: str) -> None:
    written.report(path, message, remedy, level="warning", at_key=True)
