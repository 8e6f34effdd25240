"""`sbctl restart [NAME...]`."""

from __future__ import annotations

import click

from supervisor.cli.main import Asked
from supervisor.cli.params import Duration
from supervisor.cli.single import restart_services
from supervisor.cli.starting import WAIT_S, start_tree
from supervisor.cli.stopping import stop_tree


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--wait", type=Duration(), default=WAIT_S, metavar="10s", help="Wait this long for what is wanted")
@click.option("--timeout", type=Duration(), metavar="5s", help="Whole tree: kill what has not ended by then")
@click.pass_obj
def command(asked: Asked, names: tuple[str, ...], wait: float, timeout: float | None) -> int:
    """Stop and start everything, or only the services named.

    `restart scheduler` is a hand-over: the servers it manages run on.
    """
    home = asked.home(changing=True)
    if names:
        return restart_services(home, names, wait)
    stop_tree(home, timeout)
    return start_tree(home, wait)
