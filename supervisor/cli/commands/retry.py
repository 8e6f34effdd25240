"""`sbctl retry RUN`."""

from __future__ import annotations

import click

from supervisor.cli import out
from supervisor.cli.main import Asked
from supervisor.cli.run_asking import Wish, start_run
from supervisor.cli.run_finding import run_id


@click.command()
@click.argument("run")
@click.option("--force", is_flag=True, help="Pass the gates")
@click.option("--wait", is_flag=True, help="Wait for its end: exit code 0 when it went well, else 1")
@click.option("-f", "--follow", is_flag=True, help="Show its output as it comes, then as --wait")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: run, schedule, held; waited for, also result")
@click.pass_obj
def command(asked: Asked, *, run: str, force: bool, wait: bool, follow: bool, as_json: bool) -> int:
    """Run again what has ended: the same commands, arguments and environment, as a new run.

    RUN is an id or a part of one, `last`, or a schedule, which means its newest run.
    """
    wish = Wish(wait=wait, follow=follow, as_json=as_json, colour=out.wants_colour(asked.colour))
    home = asked.home(changing=True)
    return start_run(home, wish, retry=run_id(home, run), force=force)
