"""`sbctl upgrade`."""

from __future__ import annotations

import click

from supervisor.cli.main import Asked
from supervisor.cli.upgrading import upgrade


@click.command()
@click.argument("source", required=False, metavar="[SOURCE]")
@click.option("--check", is_flag=True, help="Only find out whether it would run here, and change nothing")
@click.option("--json", "as_json", is_flag=True, help="One JSON object")
@click.pass_obj
def command(asked: Asked, source: str | None, check: bool, as_json: bool) -> int:
    """Go over to another version while everything runs: no server stops, no run breaks off.

    SOURCE is a folder with the project, a wheel or sdist file, a version, or what pip takes. Without it: the checkout
    that the launcher belongs to (after a git pull, say), else the newest version that pip finds.

    The new version is installed beside the old one, and has to pass a self-check on this home before anything is
    handed over to it. If it does not hold, the old one is brought back (exit code 1).
    """
    return upgrade(asked.home(changing=True), source, check=check, as_json=as_json)
