"""`sbctl stop [NAME...]`."""

from __future__ import annotations

import click

from supervisor.cli.main import Asked
from supervisor.cli.params import Duration
from supervisor.cli.single import stop_services
from supervisor.cli.stopping import stop_tree


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--timeout", type=Duration(), metavar="5s", help="Kill what has not ended by then")
@click.option("--json", "as_json", is_flag=True, help="One JSON object")
@click.pass_obj
def command(asked: Asked, names: tuple[str, ...], timeout: float | None, as_json: bool) -> int:
    """Stop everything, or only the services named, and wait for their end.

    A name may be a plugin with all its instances, or a pattern like 'web*'. What requires a service stops with it.
    What is stopped already counts as done. Exit code 124: not stopped within --timeout.
    """
    home = asked.home(changing=True)
    if names:
        return stop_services(home, names, timeout, as_json=as_json)
    return stop_tree(home, timeout, as_json=as_json)
