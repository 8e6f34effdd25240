"""`sbctl explain "CRON"`."""

from __future__ import annotations

import time

import click

from supervisor.cli.explaining import explained, lines
from supervisor.cli.out import answer
from supervisor.core.cron_search import RULES


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="CRON")
@click.option("--tz", default="", metavar="ZONE", help="The time zone, like Europe/Berlin (else that of this machine)")
@click.option("-n", "count", type=click.IntRange(1, 1000), default=5, show_default=True, help="So many next times")
@click.option("--seconds", is_flag=True, help="There are six fields, the first for the second")
@click.option("--dst", type=click.Choice(RULES), help="What a change of the clock does (else as of a schedule without)")
@click.option("--key", default="", metavar="ID", help="The id of the schedule, on which H depends")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: expression, text, zone, next, dst, …")
def command(
    words: tuple[str, ...], tz: str, count: int, seconds: bool, dst: str | None, key: str, as_json: bool
) -> int:
    """Say in words what a cron line means, and when it fires next.

    Also on which days of the coming year a change of the clock makes a difference. No home is needed.
    """
    facts = explained(" ".join(words), zone_name=tz, count=count, seconds=seconds, key=key, now=time.time(), dst=dst)
    answer("\n".join(lines(facts)), facts, as_json=as_json)
    return 0
