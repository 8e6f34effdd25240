"""`sbctl runs [SCHEDULE|PLUGIN...]`."""

from __future__ import annotations

import time

import click

from supervisor.cli import out, past
from supervisor.cli.main import Asked
from supervisor.cli.run_rows import run_facts
from supervisor.cli.runs_table import runs_table
from supervisor.cli.schedule_zones import zone_of
from supervisor.cli.schedules import known_in_history
from supervisor.cli.secrets import mask_of
from supervisor.cli.style import style_of
from supervisor.cli.times import parse_since
from supervisor.cli.zones import zone_named


@click.command()
@click.argument("names", nargs=-1, metavar="[SCHEDULE|PLUGIN]...")
@click.option("--failed", is_flag=True, help="Only those that failed, were rejected or timed out")
@click.option("--since", metavar="2h", help="Only since then: 2h, 14:00, 2026-11-21T05:20")
@click.option("--tenant", metavar="T", help="Only those of this tenant")
@click.option("-n", "count", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many")
@click.option(
    "--tz",
    default="",
    metavar="ZONE",
    help="Show times of this zone (of one schedule: else its own)",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: runs, newest first")
@click.pass_obj
def command(
    asked: Asked,
    *,
    names: tuple[str, ...],
    failed: bool,
    since: str | None,
    tenant: str | None,
    count: int,
    tz: str,
    as_json: bool,
) -> int:
    """Show the last runs, newest first; also when nothing runs.

    VS P50 is how much longer a run took than half of the good ones of its schedule.
    """
    home = asked.home()
    now = time.time()
    forced = zone_named(tz) if tz else None
    begin = 0.0 if since is None else parse_since(since, now)
    rows = past.runs(home, names, failed=failed, since=begin, tenant=tenant, limit=count)
    if names and not rows:
        known_in_history(home, names)
    mask = mask_of(home)
    runs = [mask.hide_in(run_facts(row)) for row in rows]
    p50 = {name: past.p50(home, name) for name in {str(run["schedule"]) for run in runs}}
    if as_json:
        for run in runs:
            run["p50_s"] = p50[str(run["schedule"])]
        out.answer("", {"runs": runs}, as_json=True)
    elif runs:
        its = forced or zone_of(home, names, {str(run["schedule"]) for run in runs})
        out.show("\n".join(runs_table(runs, p50, its, now, style_of(asked))))
    else:
        out.note("no such runs" if names or failed or since or tenant else "no runs yet")
    return 0
