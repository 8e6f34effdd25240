"""`sbctl restart [NAME...]`."""

from __future__ import annotations

import click

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.killed import tell_killed
from supervisor.cli.main import Asked
from supervisor.cli.out import show
from supervisor.cli.params import Duration
from supervisor.cli.single import restart_services
from supervisor.cli.starting import WAIT_S, start_tree
from supervisor.cli.stopping import end_tree
from supervisor.model.home import Home


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--wait", type=Duration(), default=WAIT_S, metavar="10s", help="Wait this long for (each of) them")
@click.option("--timeout", type=Duration(), metavar="5s", help="Whole tree: kill what has not ended by then")
@click.option("--rolling", is_flag=True, help="One after the other, each when the one before is ready")
@click.option("--at-once", is_flag=True, help="All at the same time")
@click.option("--json", "as_json", is_flag=True, help="One JSON object")
@click.pass_obj
def command(
    asked: Asked,
    names: tuple[str, ...],
    wait: float,
    timeout: float | None,
    rolling: bool,
    at_once: bool,
    as_json: bool,
) -> int:
    """Stop and start everything, or only the services named.

    A name may be a plugin with all its instances, or a pattern like 'web*'. The instances of a plugin are restarted
    one after the other: the next when the one before is ready, and none any more when one does not come up.
    `restart scheduler` is a hand-over: the servers it manages run on.
    """
    if rolling and at_once:
        raise Problem("--rolling or --at-once, not both", code=USAGE)
    if not names and (rolling or at_once):
        raise Problem("--rolling and --at-once are for single services, not for the whole tree", code=USAGE)
    home = asked.home(changing=True)
    if names:
        chosen = rolling if rolling or at_once else None
        return restart_services(home, names, wait, rolling=chosen, as_json=as_json)
    return _restart_tree(home, wait, timeout, as_json=as_json)


def _restart_tree(home: Home, wait: float, timeout: float | None, *, as_json: bool) -> int:
    ended = end_tree(home, timeout)
    if not as_json:
        show(ended.text)
    tell_killed(ended.killed)
    return start_tree(home, wait, as_json=as_json, before={"stopped": ended.pid, "killed": ended.killed})
