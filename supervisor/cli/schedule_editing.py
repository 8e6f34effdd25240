"""`schedule add|edit|rm`: the file of one schedule, what it does to its slots, and having it taken over."""

from __future__ import annotations

import json
import os
import time
from itertools import islice

from supervisor.base.clock import iso
from supervisor.base.counting import plural
from supervisor.base.errors import BAD_SETTINGS, NOT_RUNNING, USAGE, Problem
from supervisor.cli import past
from supervisor.cli.commands.reload import take_over
from supervisor.cli.out import answer, at_home, note
from supervisor.cli.outlook import Outlook
from supervisor.cli.schedule_broken import has_file, text_of_file, what_is_wrong
from supervisor.cli.schedule_broken import tell as tell_broken
from supervisor.cli.schedules import in_force, no_such_schedule
from supervisor.cli.times import parse_iso
from supervisor.cli.zones import moment, zone_named
from supervisor.control.api import SCHEDULER, START
from supervisor.control.client import connect
from supervisor.model.schedule import Catalogue
from supervisor.settings import api  # pydantic: 0.2 s
from supervisor.settings.compiled import build
from supervisor.settings.findings import has_errors
from supervisor.settings.schedule_files import file_text, schedule_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.core.zone import Zone
    from supervisor.model.home import Home
    from supervisor.settings.findings import Finding

    Facts = dict[str, Any]
    Keys = dict[str, Any]

NEXT = 5
WEEK_S = 7 * 86_400
MOST = 20_000  # slots that are looked at; more than that in a week is every 30 s


def add(home: Home, schedule: str, keys: Keys, *, dry_run: bool, as_json: bool) -> int:
    schedule_file(home, schedule)  # an id that can't be one is said first
    known = _present(home)
    if schedule not in known.schedules and has_file(home, schedule):
        raise Problem(
            f"there is a file {_place(home, schedule)} already",
            why="it has errors, or makes no schedule: sbctl config validate",
            remedy=f"sbctl schedule edit {schedule}, or sbctl schedule rm {schedule}",
            code=USAGE,
        )
    if schedule in known.schedules:
        raise Problem(
            f"there is a schedule {schedule} already",
            why=f"it is in {known.schedules[schedule].source}",
            remedy=f"sbctl schedule edit {schedule}, or another id: PLUGIN.NAME",
            code=USAGE,
        )
    return _change(home, schedule, keys, known, word="added", dry_run=dry_run, as_json=as_json)


def edit(home: Home, schedule: str, keys: Keys, *, dry_run: bool, as_json: bool) -> int:
    """`keys`: the whole new content of its file."""
    known = _present(home)
    if schedule not in known.schedules and not has_file(home, schedule):
        raise no_such_schedule(schedule, known.schedules)
    return _change(home, schedule, keys, known, word="changed", dry_run=dry_run, as_json=as_json)


def remove(home: Home, schedule: str, *, dry_run: bool, as_json: bool) -> int:
    known = _present(home)
    its = known.schedules.get(schedule)
    if not has_file(home, schedule):
        if its is None:
            raise no_such_schedule(schedule, known.schedules)
        raise Problem(
            f"{schedule} has no file of its own: it is in {its.source}",
            why="sbctl schedule rm removes only what lies in etc/schedules.d",
            remedy=f"take it out of {its.source}, then sbctl reload; or: sbctl schedule disable {schedule}",
            code=USAGE,
        )
    return _change(home, schedule, None, known, word="removed", dry_run=dry_run, as_json=as_json)


def keys_in_editor(home: Home, schedule: str) -> Keys:
    """What a person makes of its file; unchanged is an error, so that nothing seems to have been done."""
    import click

    if what_is_wrong(home, schedule) is None:
        before = json.dumps(api.read_schedule_file(home, schedule) or {}, indent=2, ensure_ascii=False) + "\n"
    else:
        before = text_of_file(home, schedule)
    text = click.edit(before, extension=".json")
    if text is None:
        raise Problem("nothing was changed", why="the editor ended without saving", code=1)
    try:
        keys = json.loads(text)
    except ValueError as error:
        raise Problem("that is no JSON: nothing was changed", why=str(error), code=BAD_SETTINGS) from None
    if not isinstance(keys, dict):
        raise Problem("that is no map: nothing was changed", code=BAD_SETTINGS)
    return {name: value for name, value in keys.items() if name != "format"}


# what it does


def _present(home: Home) -> Catalogue:
    """As the files have it now; with errors in them, as it was compiled last."""
    documents = api.preview(home).documents
    return _catalogue(documents) if documents else in_force(home)


def _place(home: Home, schedule: str) -> str:
    return os.path.relpath(schedule_file(home, schedule), home.path)


def _catalogue(documents: dict[str, Facts]) -> Catalogue:
    return Catalogue((documents.get(SCHEDULER) or {}).get("schedules"))


def _change(
    home: Home, schedule: str, keys: Keys | None, known: Catalogue, *, word: str, dry_run: bool, as_json: bool
) -> int:
    after, findings = _judged(home, schedule, keys)
    if has_errors(findings):
        _refuse(findings)
    for finding in findings:
        if schedule in finding.text():
            note(finding.text())
    tell_broken(home, schedule, removed=keys is None, dry_run=dry_run)
    facts = _difference(home, schedule, known, after)
    facts |= {"file": _place(home, schedule), "keys": keys, "dry_run": dry_run}
    facts["in_force"] = False
    if not dry_run:
        findings = api.remove_schedule(home, schedule) if keys is None else api.write_schedule(home, schedule, keys)
        if has_errors(findings):
            _refuse(findings)
        facts["in_force"] = _taken_over(home)
    answer("\n".join(_lines(facts, schedule, word)), facts, as_json=as_json)
    return 0


def _judged(home: Home, schedule: str, keys: Keys | None) -> tuple[Catalogue, list[Finding]]:
    """How it would be, without anything being written."""
    raw = None if keys is None else file_text(keys)
    loaded = api.load(home, {schedule_file(home, schedule): raw})
    documents = build(loaded)
    return _catalogue(documents), loaded.findings


def _refuse(findings: list[Finding]) -> None:
    errors = [finding for finding in findings if finding.is_error]
    for finding in errors:
        note(finding.text())
    count = f"{len(errors)} error{'' if len(errors) == 1 else 's'}"
    raise Problem(f"the settings would have {count}: nothing changed", remedy="see above", code=BAD_SETTINGS)


def _taken_over(home: Home) -> bool:
    """False: nothing runs; it counts from the next start on."""
    try:
        connect(home, START).close()
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            raise
        return False
    take_over(home, warnings=False)  # which have been said
    return True


def _difference(home: Home, schedule: str, before: Catalogue, after: Catalogue) -> Facts:
    """Its next slots before and after, and how many the next week has more and less."""
    now = time.time()
    kept = _kept(home, schedule)
    was, will = (Week(Outlook(home, known, now, kept), known, schedule) for known in (before, after))
    both = min(was.until, will.until)  # beyond that only one of them is known
    its = after.schedules.get(schedule) or before.schedules.get(schedule)
    return {
        "schedule": schedule,
        "zone": its.zone if its is not None else "",
        "before": was.first,
        "after": will.first,
        "gained": sum(at <= both for at in will.times - was.times),
        "lost": sum(at <= both for at in was.times - will.times),
        "counted_to": None if both >= now + WEEK_S else iso(both),
        "days": 7,
    }


def _kept(home: Home, schedule: str) -> dict[str, Facts]:
    try:
        return past.statistics(home, schedule)
    except Problem as problem:
        past.tell_trouble(problem)
        return {}


class Week:
    """The slots of one schedule that would run, by nominal time; none, where there is no such schedule."""

    __slots__ = ("first", "times", "until")

    def __init__(self, outlook: Outlook, known: Catalogue, schedule: str) -> None:
        self.first: list[Facts] = []  # also those later than in a week
        self.times: set[int] = set()
        self.until = end = outlook.now + WEEK_S
        walk = outlook.walk(schedule) if schedule in known.schedules else iter(())
        for at, slot in islice(walk, MOST):
            self.until = min(float(at), end)
            if at > end and len(self.first) == NEXT:
                return
            if slot is not None and at <= end:
                self.times.add(at)
            if slot is not None and len(self.first) < NEXT:
                self.first.append(slot())
        if next(walk, None) is None:
            self.until = end


def _lines(facts: Facts, schedule: str, word: str) -> list[str]:
    its, now = zone_named(facts["zone"]), time.time()
    would = "would be " if facts["dry_run"] else ""
    verb = "is " if not would else ""
    lines = [f"{schedule} {would or verb}{word}: {facts['file']}"]
    for title in ("before", "after"):
        times = [moment(at, its, now) for slot in facts[title] if (at := parse_iso(slot["due"])) is not None]
        if times:
            lines.append(f"  {title:<7} {', '.join(times)}")
    if len(lines) > 1:
        lines.append(f"  zone    {its.name}")
    lines.append(f"  the next {facts['days']} days: {_counts(facts, its, now)}")
    if not facts["dry_run"] and not facts["in_force"]:
        lines.append(at_home("  nothing runs: it counts from the next sbctl start on"))
    return lines


def _counts(facts: Facts, its: Zone, now: float) -> str:
    counted = parse_iso(facts["counted_to"])
    more, less = (
        f"{'at least ' if count and counted is not None else ''}{count}" for count in (facts["gained"], facts["lost"])
    )
    until = f"; counted up to {moment(counted, its, now)}" if counted is not None else ""
    return f"{more} {plural(facts['gained'], 'slot')} more, {less} less{until}"
