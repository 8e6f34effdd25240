"""`sbctl logs [NAME...]`."""

from __future__ import annotations

import time

import click

from supervisor.base.errors import USAGE, Problem
from supervisor.base.files import in_the_way
from supervisor.cli import out
from supervisor.cli.daemon_source import EventSource
from supervisor.cli.journal import JournalNews
from supervisor.cli.levels import DEBUG, LEVELS, Levels, parse_level
from supervisor.cli.lines import pattern
from supervisor.cli.log_files import allow_many_files
from supervisor.cli.log_query import Group, Outputs, Query, Test, chosen, history, level_test, services_of
from supervisor.cli.log_view import JsonView, RawView, TextView, View
from supervisor.cli.main import Asked
from supervisor.cli.secrets import mask_of
from supervisor.cli.sources import ALL, ERR, OUT, DailySource, Range, check_readable
from supervisor.cli.times import parse_since
from supervisor.model.home import Home
from supervisor.model.rows import clean

LAST = 50
EVERY_S = 0.1
TOLD = ("service.started", "service.exited")  # on stderr, between the lines: raw output does not say it


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME|PATTERN]...")
@click.option("-f", "--follow", is_flag=True, help="Go on, over restarts, rotation and midnight")
@click.option("-n", "--lines", "count", type=click.IntRange(min=0), metavar="50", help="This many last lines of each")
@click.option("--since", metavar="10m", help="From then on, with times: so long ago, 14:00, or an ISO date and time")
@click.option("--until", metavar="14:00", help="Up to then, with times")
@click.option("--level", metavar="warning", help=f"Only lines that are at least so grave: {', '.join(LEVELS)}")
@click.option("--grep", "expression", metavar="REGEX", help="Only lines that match")
@click.option("-i", "--ignore-case", is_flag=True, help="... in small letters or capitals")
@click.option("--stdout", "only_out", is_flag=True, help="Only what was written to stdout")
@click.option("--stderr", "only_err", is_flag=True, help="Only stderr, where that is kept apart")
@click.option("--commands", is_flag=True, help="What its commands wrote: before, stop, afterEnd, reload")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: at, service, stream, level, text")
@click.option("--raw", is_flag=True, help="The exact bytes: no names, nothing masked, nothing made safe")
@click.option("--prefix/--no-prefix", default=None, help="Names before the lines (else: if there are several)")
@click.pass_obj
def command(
    asked: Asked,
    *,
    names: tuple[str, ...],
    follow: bool,
    count: int | None,
    since: str | None,
    until: str | None,
    level: str | None,
    expression: str | None,
    ignore_case: bool,
    only_out: bool,
    only_err: bool,
    commands: bool,
    as_json: bool,
    raw: bool,
    prefix: bool | None,
) -> int:
    """Show the output of services, merged by time; without a name, the daily log of all of them.

    Works also when nothing runs. Secrets are masked, and what a terminal would obey is shown as escapes, but with
    --raw. Times are known to the second.
    """
    if raw and as_json:
        raise Problem("--raw and --json contradict each other", code=USAGE)
    if commands and (only_out or only_err):
        raise Problem("--commands has stdout and stderr in one", code=USAGE)
    home = asked.home()
    allow_many_files()
    tests = _tests(level, expression, ignore_case=ignore_case)
    wanted = _range(count, since, until, tests)
    stream = "" if only_out == only_err else (OUT if only_out else ERR)
    query = Query(wanted, tests, follow, Levels() if as_json or level else None)
    if not names and not (level or stream or as_json or commands):
        groups: list[Group] = [[DailySource(home.daily_folder)]]
        services: list[str] = []
    else:
        services = services_of(home, names)
        groups = _groups(
            home,
            services,
            Outputs(home, stream, commands=commands),
            events=wanted.is_timed and not (wanted.is_counted or as_json or raw or stream or level or commands),
        )
    for group in groups:
        for source in group:
            check_readable(source.path)
    view = _view(asked, home, groups, as_json=as_json, raw=raw, prefix=prefix, times=wanted.is_timed)
    exact = raw and len(groups) == len(groups[0]) == 1 and not (tests or wanted.is_counted)
    _show(groups, query, view, exact=exact)
    if wanted.count:
        _tell_silent(groups)
    if follow:
        _follow(groups, query, view, JournalNews(home.journal_file) if services else None, services)
    return 0


def _tests(level: str | None, expression: str | None, *, ignore_case: bool) -> list[Test]:
    tests: list[Test] = []
    if level is not None:
        known = parse_level(level)
        if known is None:
            raise Problem(f"no level {level!r}", remedy=f"one of: {', '.join(LEVELS)}", code=USAGE)
        if known != DEBUG:  # which is all there is
            tests.append(level_test(known))
    if expression is not None:
        matches = pattern(expression, ignore_case=ignore_case)
        tests.append(lambda line: matches(line.text))
    return tests


def _range(count: int | None, since: str | None, until: str | None, tests: list[Test]) -> Range:
    now = time.time()
    begin = 0.0 if since is None else parse_since(since, now)
    end = float("inf") if until is None else parse_since(until, now)
    if end < begin:
        raise Problem("--until is before --since: there is nothing between them", code=USAGE)
    if count is None:
        count = ALL if since is not None or until is not None else LAST
    return Range(count, begin, end)


def _groups(home: Home, services: list[str], outputs: Outputs, *, events: bool) -> list[Group]:
    groups = [group for name in services for group in outputs.groups_of(name) if group]
    for remark in outputs.remarks:
        out.note(remark)
    if events:  # where times are shown, what became of the services belongs between their lines
        groups.append([EventSource("", home.journal_file, services=services)])
    return groups or [[]]


def _view(
    asked: Asked, home: Home, groups: list[Group], *, as_json: bool, raw: bool, prefix: bool | None, times: bool
) -> View:
    if raw:
        return RawView()
    mask = mask_of(home)
    if as_json:
        return JsonView(mask)
    labels = {source.label for group in groups for source in group if source.label}
    names = (len(labels) > 1 or (times and bool(labels))) if prefix is None else prefix
    is_daily = isinstance(groups[0][0] if groups[0] else None, DailySource)
    return TextView(mask, names=names, times=times and not is_daily, colour=out.wants_colour(asked.colour))


def _show(groups: list[Group], query: Query, view: View, *, exact: bool) -> None:
    if not exact:
        view.show(history(groups, query))
        return
    for data in groups[0][0].exact(query.range, follow=query.follow):
        out.show_bytes(data)


def _tell_silent(groups: list[Group]) -> None:
    """Of each service that has never said a word: where its words would be; and of each whose words are lost."""
    silent = {source.label: source.path for group in reversed(groups) for source in reversed(group)}
    for group in groups:
        for source in group:
            kind = in_the_way(source.path) if source.label else ""
            if kind:
                what = f"{source.path} is a {kind} and no file"
                out.note(f"{source.label}: {what}: its output is dropped; once that is removed, a new file is begun")
            if kind or not source.is_empty:
                silent.pop(source.label, None)
    for label, path in reversed(silent.items()):
        if label:
            out.note(f"no output yet: {path}")


def _follow(groups: list[Group], query: Query, view: View, changes: JournalNews | None, services: list[str]) -> None:
    while time.time() < query.range.until:
        now = time.time()
        for group in groups:
            for source in group:
                view.show(chosen(source.news(now), query))
        for event in changes.read() if changes else ():
            if event.get("service") in services and event.get("kind") in TOLD:
                out.note(f"-- {clean(str(event.get('text')))} --")
        out.rest(EVERY_S)
