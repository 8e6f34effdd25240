"""`sbctl why SERVICE|SCHEDULE [TIME]`."""

from __future__ import annotations

import time

import click

from supervisor.base.errors import TIMED_OUT, USAGE, Problem
from supervisor.cli import service_why
from supervisor.cli.json_text import encode
from supervisor.cli.main import Asked
from supervisor.cli.names import refuse_self
from supervisor.cli.out import show
from supervisor.cli.secrets import mask_of
from supervisor.cli.story import Facts, story
from supervisor.cli.why_which import Meaning, meaning
from supervisor.model.home import Home


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
    services: list[Facts] = []
    away: Problem | None = None
    if (meant.is_service and not when) or not is_schedule:
        found, away = service_why.facts_of(home, name, meant)
        services = [mask.hide_in(_without_ok(its)) for its in found]
    if when and not is_schedule:
        raise Problem(f"{name} is a service, and has no slots", remedy=f"sbctl why {name}", code=USAGE)
    facts = services[0] if len(services) == 1 else {"services": services}
    parts = ["\n".join(story(its, time.time())) for its in services]
    untold: Problem | None = None
    if is_schedule:
        try:
            its = _of_schedule(home, meant, " ".join(when) or None, away)
        except Problem as problem:
            if not services:
                raise
            untold = problem
            facts = {**facts, "schedule": None}
        else:
            its = mask.hide_in(its)
            parts.append("\n".join(_story_of_schedule(asked, its)))
            facts = {**facts, "schedule": its} if services else its
    show(encode(_without_ok(facts)) if as_json else "\n\n".join(parts))
    if untold is not None:
        what = f"nothing is known of the schedule {meant.id}: {untold.what}"
        raise Problem(what, why=untold.why, remedy=untold.remedy, code=untold.code)
    return 0


def _without_ok(facts: Facts) -> Facts:
    """That it was answered at all is nothing to show."""
    return {key: value for key, value in facts.items() if key != "ok"}


def _of_schedule(home: Home, meant: Meaning, when: str | None, away: Problem | None) -> Facts:
    """`away`: what was the matter with the scheduler when it was asked about services."""
    if away is not None and away.code == TIMED_OUT:
        raise away  # nobody is to wait for it twice
    from supervisor.cli.schedule_why import facts_of

    return facts_of(home, meant, when, time.time())


def _story_of_schedule(asked: Asked, facts: Facts) -> list[str]:
    from supervisor.cli.schedule_story import schedule_story
    from supervisor.cli.style import style_of
    from supervisor.cli.zones import zone_named

    zone = facts["row"]["zone"] if facts["row"] else ""
    return schedule_story(facts, zone_named(zone), time.time(), style_of(asked))
