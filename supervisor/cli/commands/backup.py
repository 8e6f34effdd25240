"""`sbctl backup FILE`."""

from __future__ import annotations

import click

from supervisor.cli.backing_up import back_up
from supervisor.cli.main import Asked


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--with-secrets", is_flag=True, help="Also etc/secrets/ (without it they must be given anew)")
@click.option("--force", is_flag=True, help="Replace FILE if it is there")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: file, size, files")
@click.pass_obj
def command(asked: Asked, file: str, with_secrets: bool, force: bool, as_json: bool) -> int:
    """Write settings, manifests of the plugins, state and history into one file (tar.gz, only you may read it).

    Works while sbctl runs. Programs and data of plugins, and logs, are not in it.
    """
    return back_up(asked.home(), file, force=force, with_secrets=with_secrets, as_json=as_json)
