"""`sbctl enable NAME...`."""

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
    """Let services be started by themselves again, after `sbctl disable`.

    From the next start of sbctl on; `sbctl start NAME` starts them now.
    """
    done = change(asked.home(changing=True), names, enabled=True)
    lines = [f"{name} is enabled" for name in done["accepted"]]
    lines += [f"{name} was enabled already" for name in done["already"]]
    answer("\n".join(lines), done, as_json=as_json)
    return 0
