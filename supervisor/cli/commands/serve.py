"""`sbctl serve ROLE`: one daemon without `start`."""

from __future__ import annotations

import os

import click

from supervisor.base.errors import BAD_SETTINGS, Problem
from supervisor.base.where import role_command
from supervisor.cli.main import Asked
from supervisor.cli.out import note
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
    if role == "tunnel" and not os.path.exists(home.compiled_file(role)):
        raise Problem(
            "no tunnel is configured: tunnel.enabled, tunnel.command",
            remedy=f"set both in {home.settings_file}",
            code=BAD_SETTINGS,
        )
    how_to_end = "sbctl stop or Ctrl-C ends it" if role == "scheduler" else "Ctrl-C ends it"
    note(f"{role} runs alone, in the foreground (pid {os.getpid()}): {how_to_end}")
    if role == "scheduler":
        note("  crash safety is off: if it is killed, its servers are ended at the next start")
    become([*role_command(role, home.path), "--alone"])
