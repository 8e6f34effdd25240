"""`sbctl why SERVICE|SCHEDULE [TIME]`."""

from __future__ import annotations

import json
import time

import click

from supervisor.base.errors import NOT_RUNNING, TIMED_OUT, USAGE, Problem
from supervisor.cli.main import Asked
from supervisor.cli.names import check_name, known_services, refuse_self
from supervisor.cli.names import meant as services_meant
from supervisor.cli.out import note, show
from supervisor.cli.secrets import mask_of
from supervisor.cli.story import Facts, from_journal, story
from supervisor.cli.why_which import Meaning, meaning, unknown
from supervisor.control.api import role_of
from supervisor.control.client import connect
from supervisor.control.status import build_status
from supervisor.events import reading
from supervisor.model.home import Home

LOOK_BACK = 200


class WithTime(click.Command):
    """`-2h` is a time, and no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        bare = [word[1:] if word[:1] == "-" and word[1:2].isdigit() else word for word in args]
        return super().parse_args(ctx, bare)


@click.command(cls=WithTime)
@click.argument("name", metavar="SERVICE|SCHEDULE")
@click.argument("when", required=False, nargs=-1, metavar="[TIME]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with all last words and the last events")
@click.pass_obj
def command(asked: Asked, name: str, when: tuple[str, ...], as_json: bool) -> int:
    """Say why a service is as it is: what ended it, how often it was tried, its last words, what to do.

    A plugin with several instances means each of them.

    Of a schedule: why it ran or did not, when it runs next, what is in its way. With a TIME ("yesterday 13:00", 07:12,
    -2h, 2026-11-28T07:12) what became of that slot.
    """
    home = asked.home()
    refuse_self(name)
    meant = meaning(home, name)
    is_schedule = meant.schedule is not None or bool(meant.standing)
    mask = mask_of(home)
    facts: Facts = {}
    lines: list[str] = []
    if (meant.is_service and not when) or not is_schedule:
        each = [mask.hide_in(_without_ok(found)) for found in _ask_of_services(home, name, meant)]
        facts = each[0] if len(each) == 1 else {"services": each}
        lines = "\n\n".join("\n".join(story(found, time.time())) for found in each).split("\n")
    if when and not is_schedule:
        raise Problem(f"{name} is a service, and has no slots", remedy=f"sbctl why {name}", code=USAGE)
    if is_schedule:
        from supervisor.cli.schedule_why import facts_of

        its = mask.hide_in(facts_of(home, meant, " ".join(when) or None, time.time()))
        lines += [*([""] if lines else []), *_story_of_schedule(asked, its)]
        facts = {**facts, "schedule": its} if facts else its
    if as_json:
        show(json.dumps(_without_ok(facts), ensure_ascii=False))
    else:
        show("\n".join(lines))
    return 0


def _without_ok(facts: Facts) -> Facts:
    """That it was answered at all is nothing to show."""
    return {key: value for key, value in facts.items() if key != "ok"}


def _story_of_schedule(asked: Asked, facts: Facts) -> list[str]:
    from supervisor.cli.schedule_story import schedule_story
    from supervisor.cli.style import style_of
    from supervisor.cli.zones import zone_named

    zone = facts["row"]["zone"] if facts["row"] else ""
    return schedule_story(facts, zone_named(zone), time.time(), style_of(asked))


def _ask_of_services(home: Home, name: str, meant: Meaning) -> list[Facts]:
    """Of the one service that the name means, or of all instances of a plugin."""
    names = services_meant(name, known_services(home))
    if len(names) < 2:
        return [_ask_of_service(home, name, meant)]
    found: list[Facts] = []
    unknown_ones: dict[str, Problem] = {}
    for one in names:
        try:
            found.append(_ask(home, one))
        except Problem as problem:
            unknown_ones[one] = problem
    if not found:
        raise unknown_ones[names[0]]
    for one, its in unknown_ones.items():
        note(f"{one}: {its.what}")
    return found


def _ask_of_service(home: Home, name: str, meant: Meaning) -> Facts:
    try:
        return _ask(home, name)
    except Problem as problem:
        if problem.code == USAGE and not meant.is_service:
            raise unknown(home, name) from None
        raise


def _ask(home: Home, service: str) -> Facts:
    """From the daemon that knows, else what the journal remembers and `start` keeps (and it is said so)."""
    try:
        with connect(home, role_of(service)) as client:
            return client.request("why", name=service)
    except Problem as problem:
        if problem.code == USAGE:
            check_name(home, service)  # it may say more
        if problem.code not in (NOT_RUNNING, TIMED_OUT):
            raise
        check_name(home, service)
        row = _kept(home, service)
        away = _who_is_away(home, row)
        events = reading.last(home.journal_file, LOOK_BACK, service)
        if not events and row is None:  # the scheduler can't be started alone then
            raise Problem(away["away"], why=problem.why, remedy=away["next"], code=problem.code) from None
        if events:
            note(f"{problem.what}: this is what the journal remembers, up to {events[-1].get('at')}")
        return {**from_journal(service, events, row), **away}


def _kept(home: Home, service: str) -> Facts | None:
    """The service's row as `start` keeps it; None when that does not run, or knows of no such service."""
    try:
        rows: list[Facts] = build_status(home)["services"]
    except Problem:
        return None
    return next((row for row in rows if row["name"] == service), None)


def _who_is_away(home: Home, row: Facts | None) -> Facts:
    if row is None:
        return {"away": "sbctl is not running", "next": "sbctl start"}
    if row["state"] == "stopped":
        return {"away": "the scheduler is stopped", "next": "sbctl start scheduler"}
    return {"away": "the scheduler does not answer", "next": "sbctl why scheduler"}
