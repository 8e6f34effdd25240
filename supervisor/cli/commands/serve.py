"""`sbctl serve ROLE`: one daemon without `start`."""

from __future__ import annotations

import click

from supervisor.base.where import role_command
from supervisor.cli.main import Asked
from supervisor.cli.starting import become, prepare


@click.command()
@click.argument("role", type=click.Choice(["scheduler", "config", "tunnel"]))
@click.pass_obj
def command(asked: Asked, role: str) -> None:
    """Run one daemon alone, in the foreground, with this process's pid.

    A scheduler that is alone spawns its servers itself: should it be killed, they are not kept.
    """
    home = asked.home()
    prepare(home)
    become([*role_command(role, home.path), "--alone"])
