"""`sbctl retry RUN`."""

from __future__ import annotations

import click

from supervisor.cli import out, past
from supervisor.cli.commands.run import variables
from supervisor.cli.main import Asked
from supervisor.cli.run_asking import Wish, start_run
from supervisor.cli.run_finding import run_id
from supervisor.cli.run_rows import retold


@click.command()
@click.argument("run")
@click.option("--force", is_flag=True, help="Pass the gates")
@click.option("--wait", is_flag=True, help="Wait for its end: exit code 0 when it went well, else 1")
@click.option(
    "--env", "pairs", multiple=True, metavar="K=V", help="A variable for its environment: values are not kept"
)
@click.option("-f", "--follow", is_flag=True, help="Show its output as it comes, then as --wait")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: run, schedule, held; waited for, also result")
@click.pass_obj
def command(
    asked: Asked, *, run: str, force: bool, wait: bool, pairs: tuple[str, ...], follow: bool, as_json: bool
) -> int:
    """Run again what has ended: the same commands with the same arguments, as a new run.

    RUN is an id or a part of one, `last`, or a schedule, which means its newest run.
    """
    wish = Wish(wait=wait, follow=follow, as_json=as_json, colour=out.wants_colour(asked.colour))
    home = asked.home(changing=True)
    id = run_id(home, run)
    known = retold(past.run(home, id))
    lacking = [name for name in known.pop("env", ()) if name not in variables(pairs)]
    if lacking:
        out.note(f"it had {', '.join(lacking)} in its environment, which is not kept: give it again with --env")
    return start_run(home, wish, retry=id, **known, env=variables(pairs), force=force)
