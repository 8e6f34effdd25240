"""`sbctl drill kill|hang NAME`."""

from __future__ import annotations

import click

from supervisor.cli.drilling.expecting import HANG, KILL
from supervisor.cli.main import Asked
from supervisor.cli.out import show
from supervisor.cli.params import Duration, SubVerbs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


@click.group(cls=SubVerbs, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Break a service on purpose, and check that what has to follow does follow.

    On a live system, with consent. Every step is told with its time; exit code 1: one failed.
    """
    if ctx.invoked_subcommand is None:
        show(ctx.get_help())


def _options(call: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object: passed, steps, took_s"),
        click.option("--force", is_flag=True, help="Also if by its policy it would not come back"),
        click.option("--timeout", type=Duration(), metavar="60s", help="For all of it (else what its policy may take)"),
        click.option("--yes", is_flag=True, help="Do not ask"),
        click.argument("name", metavar="NAME"),
    ):
        call = option(call)
    return call


@command.command()
@_options
@click.pass_obj
def kill(asked: Asked, *, name: str, yes: bool, force: bool, timeout: float | None, as_json: bool) -> int:
    """Kill the main process of a service (SIGKILL): is that seen, told, and is it back as its policy says?

    NAME may be scheduler, config or tunnel as well. Of everybody else the same process must run on.
    """
    return _drill(asked, KILL, name, yes=yes, force=force, timeout=timeout, as_json=as_json)


@command.command()
@_options
@click.pass_obj
def hang(asked: Asked, *, name: str, yes: bool, force: bool, timeout: float | None, as_json: bool) -> int:
    """Stop the main process of a service (SIGSTOP): does its alive check or watchdog notice, and is it replaced?

    Whatever happens, also Ctrl-C or a kill of this command, the process is let go on.
    """
    return _drill(asked, HANG, name, yes=yes, force=force, timeout=timeout, as_json=as_json)


def _drill(asked: Asked, kind: str, name: str, **options: Any) -> int:
    from supervisor.cli.drilling.running import drill
    from supervisor.cli.style import style_of

    return drill(asked.home(changing=True), kind, name, style=style_of(asked), **options)
