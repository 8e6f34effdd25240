"""`sbctl resume [SCHEDULE...]`."""

from __future__ import annotations

import click

from supervisor.cli import pausing
from supervisor.cli.commands.pause import AFTER
from supervisor.cli.main import Asked


@click.command()
@click.argument("names", nargs=-1, metavar="[SCHEDULE]...")
@click.option("--what", type=click.Choice(AFTER), help="Of what was held: nothing (next), one run, or all as if missed")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: accepted, already")
@click.pass_obj
def command(asked: Asked, *, names: tuple[str, ...], what: str | None, as_json: bool) -> int:
    """Let paused schedules go on. Without names: the pause of everything ends, those of single ones stay."""
    return pausing.resume(asked.home(changing=True), names, what=what or "", as_json=as_json)
