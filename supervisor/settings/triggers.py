"""The time rules of a schedule, as `core/trigger.py` takes them."""

from __future__ import annotations

import math
import os
from typing import Any

from supervisor.base import zones
from supervisor.core.calendar import edge, parse_wall
from supervisor.core.cron import CronError, parse
from supervisor.core.cron_disputed import refuse_disputed
from supervisor.model.inputs import VARIABLE, look
from supervisor.settings.load import Loaded
from supervisor.settings.secrets import SECRETS
from supervisor.settings.time_keys import (
    MAX_HOURS,
    end_wall,
    has_offset,
    is_date,
    seconds_of_day,
    utc_of,
    weekday_numbers,
)
from supervisor.settings.written_schedule import WrittenSchedule
from supervisor.settings.zone_names import zone_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.zone import Zone

UNSET_HOURS = 12.0  # of a variable that is not set


def interval_seconds(loaded: Loaded, written: WrittenSchedule) -> float:
    """0: there is none, or it is wrong, which is reported."""
    keys = written.keys
    hours = keys.interval_hours
    if isinstance(hours, str):
        return _from_environment(loaded, written, hours)
    if hours is not None:
        key, found = "intervalHours", hours * 3600
    elif keys.interval_minutes is not None:
        key, found = "intervalMinutes", keys.interval_minutes * 60
    else:
        return keys.interval_seconds or 0.0
    if found < 1:
        written.report((key,), "is less than a second", "write a second or more: intervalSeconds: 1")
        return 0.0
    return found


def _from_environment(loaded: Loaded, written: WrittenSchedule, reference: str) -> float:
    """The value that counts is that of whoever starts or reloads; another one makes `start` compile again."""
    name = reference.removeprefix(VARIABLE)
    if name in SECRETS:
        written.report(("intervalHours",), f"{name} is a secret, not a number of hours", "name another variable")
        return 0.0
    entry = look(reference)
    if entry not in loaded.inputs:
        loaded.inputs.append(entry)
    text = os.environ.get(name, "").strip()
    try:
        hours = float(text) if text else UNSET_HOURS
    except ValueError:
        hours = math.nan
    if 1 / 3600 <= hours <= MAX_HOURS:
        return hours * 3600
    what = "is not a number" if math.isnan(hours) else f"must be greater than 0 and at most {MAX_HOURS}"
    written.report(("intervalHours",), f"the variable {name}, in hours, {what}", f"set {name} to a number like 6")
    return 0.0


def triggers_of(loaded: Loaded, written: WrittenSchedule, zone: Zone, now: float) -> list[dict[str, Any]]:
    keys, found = written.keys, []
    if seconds := interval_seconds(loaded, written):
        found.append({"kind": "interval", "seconds": seconds, "after_finish": bool(keys.after_finish)})
    if keys.at:
        times = sorted({seconds_of_day(text) for text in keys.at})
        found.append({"kind": "at", "times": times, "weekdays": weekday_numbers(keys.weekdays)})
    found += _cron_lines(written, zone, now)
    found += _moments(written, zone, now)
    for after in keys.after_schedule or ():
        found.append(
            {"kind": "after", "schedule": after.schedule, "when": after.when, "delay": after.delay_seconds},
        )
    return found


def _cron_lines(written: WrittenSchedule, zone: Zone, now: float) -> list[dict[str, Any]]:
    found, seconds = [], bool(written.keys.seconds)
    for place, line in enumerate(written.keys.cron or ()):
        path = ("cron", place)
        try:
            cron = parse(line, key=written.id, seconds=seconds)
        except CronError as error:
            remedy = getattr(error, "remedy", "") or "five fields: minute, hour, day of month, month, weekday"
            written.report(path, str(error), remedy)
            continue
        if cron.zone and (problem := zone_problem(cron.zone)):
            written.report(path, f"{cron.zone}: {problem[0]}", problem[1])
            continue
        if written.keys.dst is None:
            try:
                refuse_disputed(cron, zones.zone(cron.zone) if cron.zone else zone, int(now))
            except CronError as error:
                written.report(path, str(error), error.remedy)
                continue
        found.append({"kind": "cron", "expr": line, "seconds": seconds})
    return found


def _moments(written: WrittenSchedule, zone: Zone, now: float) -> list[dict[str, Any]]:
    found = []
    for place, text in enumerate(written.keys.once or ()):
        at = moment(text, zone)
        if at <= now:
            written.report(("once", place), "is over", "write a time to come, or remove it", level="warning")
        found.append({"kind": "once", "at": at})
    return found


def moment(text: str, zone: Zone) -> int:
    """A local time that does not exist is the end of the gap; of one that comes twice it is the first."""
    return utc_of(text) if has_offset(text) else edge(zone, parse_wall(text))


def valid_range(written: WrittenSchedule, zone: Zone, now: float) -> tuple[int, int]:
    """Both within; 0: no such limit."""
    keys = written.keys
    first = edge(zone, parse_wall(keys.valid_from)) if keys.valid_from else 0
    last = 0
    if keys.valid_until:
        last = edge(zone, end_wall(keys.valid_until)) - is_date(keys.valid_until)
        if first and last < first:
            written.report(("validUntil",), "is before validFrom", "correct one of the two")
        elif last < now:
            written.report(
                ("validUntil",),
                "is over: it does not run any more",
                "write a later date, or remove it",
                level="warning",
            )
    return first, last


def zone_of(written: WrittenSchedule, default: str) -> str:
    """The name of its zone; where there is no such zone, which is reported, the default."""
    name = written.keys.timezone
    if name is None:
        return default
    if problem := zone_problem(name):
        written.report(("timezone",), *problem)
        return default
    return name


def machine_zone() -> str:
    """The name of the machine's zone; "" where it has no name, or can't be read."""
    try:
        return zones.name_of_machine()
    except zones.UnknownZone:
        return "UTC"
