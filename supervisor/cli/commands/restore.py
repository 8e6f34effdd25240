"""`sbctl restore FILE`."""

from __future__ import annotations

import click

from supervisor.cli.main import Asked
from supervisor.cli.restoring import KEEP, restore


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Check it and show what would be done; change nothing")
@click.option("--yes", is_flag=True, help="Do not ask")
@click.option(
    "--cursors",
    type=click.Choice([KEEP, "from-backup"]),
    default=KEEP,
    show_default=True,
    help="keep: what was decided since the backup does not come again; from-backup: all since then counts as missed",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: files, set_aside, aside, restored")
@click.pass_obj
def command(asked: Asked, *, file: str, dry_run: bool, yes: bool, cursors: str, as_json: bool) -> int:
    """Bring back what `sbctl backup` has written into FILE. sbctl must be stopped; an empty folder becomes a home.

    All of it is checked, and its settings are judged, before anything is replaced. What is there now is set aside in
    logs/run/before-restore-TIME/, also settings and manifests of plugins that the backup does not have.
    """
    home = asked.home(changing=not dry_run, maker="restore FILE")
    return restore(home, file, dry_run=dry_run, yes=yes, which=cursors, as_json=as_json)
