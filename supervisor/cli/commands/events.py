"""`sbctl events`."""

from __future__ import annotations

import time

import click

from supervisor.cli import out
from supervisor.cli.journal import JournalNews, Record
from supervisor.cli.json_text import encode
from supervisor.cli.main import Asked
from supervisor.cli.secrets import mask_of
from supervisor.cli.sources import check_readable
from supervisor.cli.times import parse_iso, parse_since
from supervisor.events import reading
from supervisor.model.rows import clean

LAST = 50
LOOK_BACK = 64 << 20
EVERY_S = 0.1
COLOURS = {"warning": "33", "error": "31"}


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on as events come")
@click.option("-n", "count", type=click.IntRange(min=0), metavar="50", help="This many last events")
@click.option("--since", metavar="10m", help="From then on: so long ago, or an ISO date and time")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line")
@click.pass_obj
def command(asked: Asked, follow: bool, count: int | None, since: str | None, as_json: bool) -> int:
    """Show what has happened, from the journal; works also when nothing runs."""
    home = asked.home()
    path = home.journal_file
    check_readable(path)
    mask = mask_of(home)
    colour = out.wants_colour(asked.colour)
    mark = ""
    for record in _first(path, count, since):
        mark = str(record.get("seq") or mark)
        out.show(_line(mask.hide_in(record), as_json, colour))
    news = JournalNews(path, mark)
    while follow:
        for record in news.read():
            out.show(_line(mask.hide_in(record), as_json, colour))
        out.rest(EVERY_S)
    return 0


def _first(path: str, count: int | None, since: str | None) -> list[Record]:
    if since is None:
        return reading.last(path, LAST if count is None else count) if count != 0 else []
    wall = parse_since(since, time.time())
    records = [record for record in reading.tail(path, LOOK_BACK) if (parse_iso(record.get("at")) or 0.0) >= wall]
    return records if count is None else records[len(records) - min(count, len(records)) :]


def _line(record: Record, as_json: bool, colour: bool) -> str:
    if as_json:
        return encode(record)
    text = f"{clean(str(record.get('at', '')))}  {clean(str(record.get('text', '')))}"
    code = COLOURS.get(str(record.get("level")))
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code else text
