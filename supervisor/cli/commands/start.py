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
@click.option("--log-format", type=click.Choice(["text", "json"]), help="What --foreground prints: for people, or JSON")
@click.option("--output", is_flag=True, help="With --foreground: print what the servers write, too")
@click.option("--json", "as_json", is_flag=True, help="One JSON object")
@click.pass_obj
def command(
    asked: Asked,
    names: tuple[str, ...],
    wait: float,
    foreground: bool,
    log_format: str | None,
    output: bool,
    as_json: bool,
) -> int:
    """Start everything that is wanted, or only the services named.

    A name may be a plugin with all its instances, or a pattern like 'web*'. What a service requires is started too.
    Returns once all of it is up, at the latest after --wait: 0 when it is, 1 when something is not (it is named).
    Everything that runs already stays as it is.

    With --foreground its exit code is 0, or that of the critical service whose end has ended everything.
    """
    home = asked.home(changing=True)
    if foreground and (names or as_json):
        what = "--foreground is for the whole tree, not for single services, and without --json"
        raise Problem(what, remedy="--log-format json makes its lines JSON" if as_json else "", code=USAGE)
    if not foreground and (log_format or output):
        what = "--log-format and --output are for --foreground"
        raise Problem(what, remedy="sbctl start, then sbctl logs -f, or sbctl events -f --json", code=USAGE)
    if names:
        return start_services(home, names, wait, as_json=as_json)
    if not foreground:
        return start_tree(home, wait, as_json=as_json)
    return start_here(home, ["--log-format", log_format or "text", *(["--output"] if output else [])])
