"""The options of `schedule add` and `schedule edit`, and the keys of a file that they stand for."""

from __future__ import annotations

import json
from typing import Any

import click

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.params import Duration

MISSED = ("skip", "latest", "earliest", "all")
OVERLAP = ("skip", "queueOne", "queueAll", "cancelOther", "killOther", "allow")

Keys = dict[str, Any]

# Of each kind of time rule all keys: a rule that is set by an option takes the place of the others.
TIMES = {
    "intervalHours": "every", "intervalMinutes": "every", "intervalSeconds": "every", "afterFinish": "every",
    "at": "at", "weekdays": "at", "cron": "cron", "seconds": "cron", "once": "once", "afterSchedule": "after",
}  # fmt: skip
SAYS_MORE = ("afterFinish", "weekdays", "seconds")  # about a rule, which may also stand in another file: none by itself
JITTERS = ("jitterMinutes", "jitterSeconds")
HOUR_S, MINUTE_S = 3600.0, 60.0

_OPTIONS = (
    click.option("--commands", metavar="A,B", help="Commands of the plugin, in this order"),
    click.option("--every", type=Duration(), metavar="6h", help="So often, counted from when it is first seen"),
    click.option("--cron", multiple=True, metavar="CRON", help="By a cron line; may be given more than once"),
    click.option("--at", "at", metavar="08:00,12:00", help="At these times of the day"),
    click.option("--once", multiple=True, metavar="TIME", help="One single time: 2026-12-01T10:00"),
    click.option("--jitter", type=Duration(), metavar="30m", help="Each run is late by up to this much"),
    click.option("--tz", metavar="ZONE", help="The time zone, like Europe/Berlin"),
    click.option("--missed", type=click.Choice(MISSED), help="Which slots that nobody could start are made up for"),
    click.option("--overlap", type=click.Choice(OVERLAP), help="What a slot does that finds the run before going"),
    click.option("--set", "settings", multiple=True, metavar="KEY=JSON", help="Any other key of the file"),
)


def schedule_options(function: Any) -> Any:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def keys_of(
    *,
    commands: str | None,
    every: float | None,
    cron: tuple[str, ...],
    at: str | None,
    once: tuple[str, ...],
    jitter: float | None,
    tz: str | None,
    missed: str | None,
    overlap: str | None,
    settings: tuple[str, ...],
) -> Keys:
    """As they stand in the file. What --set says comes last, and beats the others."""
    keys: Keys = {}
    given = {"timezone": tz, "missed": missed, "overlap": overlap}
    keys.update({name: value for name, value in given.items() if value is not None})
    if commands is not None:
        keys["commands"] = _words(commands)
    if every is not None:
        keys.update(_interval(every))
    if cron:
        keys["cron"] = cron[0] if len(cron) == 1 else list(cron)
    if at is not None:
        keys["at"] = _words(at)
    if once:
        keys["once"] = once[0] if len(once) == 1 else list(once)
    if jitter is not None:
        keys.update(_jitter(jitter))
    for setting in settings:
        name, value = _setting(setting)
        keys[name] = value
    return keys


def merged(before: Keys, new: Keys, unset: tuple[str, ...] = ()) -> Keys:
    """The file with these keys in it: a new rule takes the place of the old ones, all other keys stay."""
    keys = dict(before)
    kinds = {TIMES[name] for name in new if name in TIMES and name not in SAYS_MORE}
    if kinds:
        # `weekdays` stays beside new times, but not beside times that take the place of something else.
        fresh = kinds - {TIMES[name] for name in before if name in TIMES}
        for name in [name for name in keys if name in TIMES and (fresh or TIMES[name] not in kinds)]:
            del keys[name]
    if any(name in new for name in ("intervalHours", "intervalMinutes", "intervalSeconds")):
        for name in ("intervalHours", "intervalMinutes", "intervalSeconds"):
            keys.pop(name, None)
    if any(name in new for name in JITTERS):
        for name in JITTERS:
            keys.pop(name, None)
    keys.update(new)
    for name in unset:
        if name not in keys:
            raise Problem(f"there is no {name[:80]!r} in its file", why=f"it has: {', '.join(keys) or 'nothing'}",
                          code=USAGE)  # fmt: skip
        del keys[name]
    return keys


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _interval(seconds: float) -> Keys:
    """In the largest unit in which it is a whole number."""
    for unit, name in ((HOUR_S, "intervalHours"), (MINUTE_S, "intervalMinutes")):
        if seconds >= unit and seconds % unit == 0:
            return {name: int(seconds / unit)}
    return {"intervalSeconds": _plain(seconds)}


def _jitter(seconds: float) -> Keys:
    if seconds % MINUTE_S == 0:
        return {"jitterMinutes": int(seconds / MINUTE_S)}
    return {"jitterSeconds": _plain(seconds)}


def _plain(number: float) -> float:
    return int(number) if number == int(number) else number


def _setting(text: str) -> tuple[str, Any]:
    """`graceSeconds=30`, `check="api"`; what is no JSON is a text, so that `check=api` means the same."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise Problem(f"{text[:80]!r} sets nothing", remedy="write it like --set graceSeconds=30", code=USAGE)
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        if value[:1] in '[{"':
            raise Problem(f"the value of {name} is no JSON", why=value[:80], code=USAGE) from None
        return name.strip(), value
