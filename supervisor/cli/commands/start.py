"""`sbctl start [NAME...]`."""

from __future__ import annotations

import click

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.main import Asked
from supervisor.cli.params import Duration
from supervisor.cli.single import start_services
from supervisor.cli.starting import WAIT_S, start_here, start_tree


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--wait", type=Duration(), default=WAIT_S, metavar="10s", help="Wait this long for what is wanted")
@click.option("--foreground", is_flag=True, help="Stay in this terminal: the caller's pid is the supervisor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object")
@click.pass_obj
def command(asked: Asked, names: tuple[str, ...], wait: float, foreground: bool, as_json: bool) -> int:
    """Start everything that is wanted, or only the services named.

    A name may be a plugin with all its instances, or a pattern like 'web*'. What a service requires is started too.
    Returns once all of it is up, at the latest after --wait: 0 when it is, 1 when something is not (it is named).
    Everything that runs already stays as it is.
    """
    home = asked.home(changing=True)
    if foreground and (names or as_json):
        raise Problem("--foreground is for the whole tree, not for single services, and without --json", code=USAGE)
    if names:
        return start_services(home, names, wait, as_json=as_json)
    return start_here(home) if foreground else start_tree(home, wait, as_json=as_json)
