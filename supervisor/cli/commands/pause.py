"""`sbctl pause [SCHEDULE...]`."""

from __future__ import annotations

import click

from supervisor.cli import pausing
from supervisor.cli.main import Asked
from supervisor.cli.params import Duration

AFTER = ("next", "once", "catch-up")


@click.command()
@click.argument("names", nargs=-1, metavar="[SCHEDULE]...")
@click.option("--for", "length", type=Duration(), metavar="2h", help="Go on by itself after so long")
@click.option("--until", metavar="TIME", help="Go on by itself then: 14:00, tomorrow 08:00, 2026-11-28T07:12")
@click.option(
    "--tz",
    default="",
    metavar="ZONE",
    help="The zone of --until (of one schedule: else its own)",
)
@click.option("--reason", default="", metavar="TEXT", help="For those who ask why nothing runs")
@click.option(
    "--on-resume", type=click.Choice(AFTER), help="Of what was held: nothing (next), one run, or all as if missed"
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: accepted, already")
@click.pass_obj
def command(
    asked: Asked,
    *,
    names: tuple[str, ...],
    length: float | None,
    until: str | None,
    tz: str,
    reason: str,
    on_resume: str | None,
    as_json: bool,
) -> int:
    """Let schedules rest: what is due meanwhile does not run. Without names: all of them.

    Everything is paused by the file pause.flag, which may as well be made by hand (touch pause.flag), also while sbctl
    does not run. What runs already goes on.
    """
    return pausing.pause(
        asked.home(changing=True),
        names,
        reason=reason,
        length=length,
        until_text=until,
        tz=tz,
        on_resume=on_resume or "",
        as_json=as_json,
    )
