"""`sbctl next [SCHEDULE...]`."""

from __future__ import annotations

import time

import click

from supervisor.base.errors import USAGE, Problem
from supervisor.cli import out
from supervisor.cli.main import Asked
from supervisor.cli.next_table import next_table, ordered
from supervisor.cli.schedules import MANY_S, ask_if_running, catalogue, meant, owners_of, rows_if_running
from supervisor.cli.secrets import mask_of
from supervisor.cli.style import style_of
from supervisor.cli.times import parse_iso
from supervisor.cli.zones import zone_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home

    Facts = dict[str, Any]

MOST_UNTIMED = 8


@click.command(name="next")
@click.argument("names", nargs=-1, metavar="[SCHEDULE]...")
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    help="So many that run, beside what is held",
)
@click.option(
    "--tz",
    default="",
    metavar="ZONE",
    help="Show times of this zone (of one schedule: else its own)",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: now, slots, more_held; times in UTC")
@click.pass_obj
def command(asked: Asked, *, names: tuple[str, ...], count: int, tz: str, as_json: bool) -> int:
    """Show what runs next, jitter and active hours included, and what is held.

    Slots that are held one after the other are one line, which says until when; so is a schedule that is paused or
    disabled, behind all others.

    Without a running sbctl it is reckoned from the settings and the history, and stderr says so.
    """
    home = asked.home()
    forced = zone_named(tz) if tz else None  # a wrong one is said before anything is asked
    slots, more, rows, others, now = _look(home, list(names), count)
    slots = ordered(slots)
    untimed = _untimed(slots, rows) if names or not slots else ""
    if as_json:
        out.answer("", mask_of(home).hide_in({"now": now, "slots": slots, "more_held": more}), as_json=True)
        return 0
    if not slots and untimed:
        out.note(f"nothing has a time yet: {untimed}")
        return 0
    if not slots:
        out.note("nothing is due: there are no schedules" if not rows else "nothing is due any more")
        return 0
    if untimed:
        out.note(f"without a time of its own yet: {untimed}")

    only = next(iter(rows.values()))["zone"] if len(rows) == 1 and (names or not others) else ""
    wall = parse_iso(now) or time.time()
    lines = next_table(mask_of(home).hide_in(slots), rows, forced or zone_named(str(only)), wall, style_of(asked))
    out.show("\n".join(lines))
    if more:
        out.note(f"... and {more:,} more that are held: sbctl schedule list")
    return 0


def _untimed(slots: list[Facts], rows: dict[str, Facts]) -> str:
    """Those that ends of runs start, while nothing of the kind is known: `follow runs after mail is done`."""
    timed = {slot["schedule"] for slot in slots}
    found = [f"{id} runs {row['rule']}" for id, row in rows.items() if row.get("by_ends") and id not in timed]
    return "; ".join([*found[:MOST_UNTIMED], *(["..."] if len(found) > MOST_UNTIMED else [])])


def _rows_of(home: Home, names: list[str], slots: list[Facts]) -> Facts | None:
    """Of all that were asked for; of all there are only those that are shown, if any are: there may be very many."""
    if names or not slots:
        return rows_if_running(home, **({"names": names} if names else {}))
    try:
        return rows_if_running(home, names=sorted({str(slot["schedule"]) for slot in slots}))
    except Problem as problem:
        if problem.code != USAGE:
            raise
        return rows_if_running(home)  # one has just been removed


def _look(home: Home, names: list[str], count: int) -> tuple[list[Facts], int, dict[str, Facts], int, str]:
    """Slots, how many more are held, rows by id, how many schedules there are beside them, and when that was."""
    some: Facts = {"names": names} if names else {}
    reply = ask_if_running(home, "next", count=count, limit=MANY_S, **some)
    found = _rows_of(home, names, reply["slots"]) if reply is not None else None
    if reply is not None and found is not None:
        rows = {row["id"]: row for row in found["schedules"]}
        others = found["system"]["total_schedules"] - len(rows)
        return reply["slots"], reply.get("more_held", 0), rows, others, reply["now"]
    from supervisor.base.clock import iso
    from supervisor.cli.outlook import Outlook

    out.note("no scheduler runs: this is when it would run, once it is started (sbctl start)")
    schedules = catalogue(home)
    outlook = Outlook(home, schedules)
    ids = meant(names, owners_of(schedules)) if names else list(schedules.schedules)
    rows = {row["id"]: row for row in outlook.rows(ids)}
    nearest = outlook.nearest(ids, count)
    return nearest.slots(), nearest.more_held(), rows, len(schedules.schedules) - len(rows), iso(outlook.now)
