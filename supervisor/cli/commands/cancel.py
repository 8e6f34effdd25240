"""`sbctl cancel RUN|SCHEDULE`."""

from __future__ import annotations

import click

from supervisor.cli.main import Asked
from supervisor.cli.marks import words
from supervisor.cli.out import answer
from supervisor.cli.run_asking import login
from supervisor.cli.run_finding import run_id
from supervisor.cli.schedules import ask


@click.command()
@click.argument("run", metavar="RUN|SCHEDULE")
@click.option("--now", is_flag=True, help="Kill it at once, without a grace")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: run, state")
@click.pass_obj
def command(asked: Asked, *, run: str, now: bool, as_json: bool) -> int:
    """End a run that goes on, or take one out that waits for its turn.

    It gets SIGTERM and its grace, then SIGKILL; a rollback is ended by --now only. Of a schedule the newest is meant.
    """
    home = asked.home(changing=True)
    found = run_id(home, run, live=True)
    reply = ask(home, "cancel", run=found, now=now, by=login())
    state = str(reply.get("state"))
    answer(f"{found} is {'being ended' if state == 'running' else words(state)}", reply, as_json=as_json)
    return 0
