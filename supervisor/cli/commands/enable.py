"""`sbctl enable NAME...`."""

from __future__ import annotations

import click

from supervisor.cli.lasting import change
from supervisor.cli.main import Asked


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...", required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: accepted, already, with, services")
@click.pass_obj
def command(asked: Asked, names: tuple[str, ...], as_json: bool) -> int:
    """Start services, now and from now on by themselves, whatever their settings say.

    It lasts over restarts of everything, until `sbctl disable`. While sbctl is stopped it is noted for the next start.
    Exit code 1: one of them is not up.
    """
    return change(asked.home(changing=True), names, enabled=True, as_json=as_json)
