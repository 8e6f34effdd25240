"""`sbctl disable NAME...`."""

from __future__ import annotations

import click

from supervisor.cli.lasting import change
from supervisor.cli.main import Asked


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...", required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: accepted, already, with, services")
@click.pass_obj
def command(asked: Asked, names: tuple[str, ...], as_json: bool) -> int:
    """Stop services, and do not start them by themselves any more, whatever their settings say.

    It lasts over restarts of everything, until `sbctl enable`. While sbctl is stopped it is noted for the next start.
    `sbctl start NAME` still starts one, for this time.
    """
    return change(asked.home(changing=True), names, enabled=False, as_json=as_json)
