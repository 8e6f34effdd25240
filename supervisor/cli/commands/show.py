"""`sbctl show RUN`."""

from __future__ import annotations

import time

import click

from supervisor.base.errors import FAILED, USAGE, Problem
from supervisor.cli import out, past
from supervisor.cli.json_text import encode
from supervisor.cli.main import Asked
from supervisor.cli.places import run_logs
from supervisor.cli.run_finding import find_run, no_such_run
from supervisor.cli.run_output import show_log
from supervisor.cli.run_rows import run_facts, step_facts
from supervisor.cli.run_view import run_lines
from supervisor.cli.schedule_zones import zone_of
from supervisor.cli.secrets import mask_of
from supervisor.cli.style import style_of
from supervisor.cli.zones import zone_named


@click.command()
@click.argument("run")
@click.option("--log", is_flag=True, help="Its output instead: the head, and the tail when there was too much of it")
@click.option("--tz", default="", metavar="ZONE", help="Show times of this zone (else that of its schedule)")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: all of it, times in UTC")
@click.pass_obj
def command(asked: Asked, *, run: str, log: bool, tz: str, as_json: bool) -> int:
    """Show one run: what became of it and why, its times, its steps, what it took, its last words.

    RUN is an id or a part of one, `last`, or a schedule, which means its newest run. Works also when nothing runs.
    """
    if log and as_json:
        raise Problem("--log is the output itself", remedy="one of --log and --json", code=USAGE)
    home = asked.home()
    row = find_run(home, run)
    if row is None:
        raise no_such_run(run)
    plugin = str(row["plugin"] or str(row["schedule"]).partition(".")[0])
    if log:
        if not show_log(home, plugin, row["id"], colour=out.wants_colour(asked.colour)):
            why = f"there is no {home.run_log(plugin, row['id'])}"
            raise Problem(f"{row['id']} has no log", why=f"{why}: it said nothing, or is too long ago", code=FAILED)
        return 0
    facts = run_facts(row)
    facts["steps_run"] = [step_facts(step) for step in past.steps(home, row["id"])]
    facts["files"] = run_logs(home, plugin, row["id"])
    facts = mask_of(home).hide_in(facts)
    if as_json:
        out.show(encode(facts))
    else:
        its = zone_named(tz) if tz else zone_of(home, (str(row["schedule"]),))
        out.show("\n".join(run_lines(facts, its, time.time(), style_of(asked))))
    return 0
