"""`sbctl disable NAME...`."""

from __future__ import annotations

import click

from supervisor.cli.lasting import change
from supervisor.cli.main import Asked
from supervisor.cli.out import answer


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...", required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: accepted, already")
@click.pass_obj
def command(asked: Asked, names: tuple[str, ...], as_json: bool) -> int:
    """Never start services by themselves, whatever their settings say, until `sbctl enable`.

    What runs goes on running: `sbctl stop NAME` ends it. `sbctl start NAME` starts it for this time.
    """
    done = change(asked.home(changing=True), names, enabled=False)
    lines = [f"{name} is disabled" for name in done["accepted"]]
    lines += [f"{name} was disabled already" for name in done["already"]]
    answer("\n".join(lines), done, as_json=as_json)
    return 0
