"""`sbctl logs [NAME...]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable

import click

from supervisor.base.clock import stamp
from supervisor.cli import out
from supervisor.cli.daemon_source import DaemonSource
from supervisor.cli.journal import JournalNews
from supervisor.cli.lines import Splitter, for_terminal, pattern, since_filter
from supervisor.cli.main import Asked
from supervisor.cli.names import check_name, output_file
from supervisor.cli.sources import DailySource, RawSource, Source, check_readable
from supervisor.cli.times import parse_since
from supervisor.control.api import SCHEDULER
from supervisor.model.home import Home
from supervisor.model.rows import clean
from supervisor.model.service import SELF_NAME

LAST = 50
EVERY_S = 0.1
TOLD = ("service.started", "service.exited")  # on stderr, between the lines: raw output does not say it

Test = Callable[[bytes], bool]


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("-f", "--follow", is_flag=True, help="Go on, over restarts, rotation and midnight")
@click.option("-n", "--lines", "count", type=click.IntRange(min=0), metavar="50", help="This many last lines")
@click.option("--since", metavar="10m", help="From then on, with times: so long ago, or an ISO date and time")
@click.option("--grep", "expression", metavar="REGEX", help="Only lines that match")
@click.pass_obj
def command(
    asked: Asked, names: tuple[str, ...], follow: bool, count: int | None, since: str | None, expression: str | None
) -> int:
    """Show the output of services; without a name, the daily log of all of them.

    Works also when nothing runs. Raw output has no times, so with --since it is taken from the daily log, which
    leaves out the greater part of a flood; what is left out is counted there.
    """
    home = asked.home()
    test = None if expression is None else pattern(expression)
    for name in names:
        check_name(home, name)
    if since is not None:
        wall = parse_since(since, time.time())
        window = since_filter(stamp(wall), list(names))
        daily = DailySource(home.daily_folder)
        check_readable(daily.path)
        printer = Printer("", window if test is None else lambda line: window(line) and test(line), count)
        printer.run(daily.since(wall))
        return _end([(daily, printer)], follow)
    changes = JournalNews(home.journal_file) if follow and names else None
    going = _begin(_sources(home, names), LAST if count is None else count, test)
    return _end(going, follow, changes, names)


def _sources(home: Home, names: tuple[str, ...]) -> list[Source]:
    if not names:
        return [DailySource(home.daily_folder)]
    return [source for name in dict.fromkeys(names) for source in _sources_of(home, name)]


def _sources_of(home: Home, name: str) -> list[Source]:
    """A daemon tells events and prints only when it breaks; the tunnel has its program's output as well."""
    printed = RawSource(name, output_file(home, name))
    if name == SELF_NAME:
        return [DaemonSource(name, home.start_log), printed]
    if name == SCHEDULER:
        return [DaemonSource(name, home.journal_file, SCHEDULER), printed]
    if name == "tunnel":
        return [printed, RawSource(name, home.provider_log)]
    return [printed]


def _begin(sources: list[Source], count: int, test: Test | None) -> list[tuple[Source, Printer]]:
    """Print what there is of each, and hand back what follows it."""
    going: list[tuple[Source, Printer]] = []
    several = len({source.label for source in sources}) > 1
    silent = {source.label: source.path for source in reversed(sources)}
    for source in sources:
        check_readable(source.path)
        printer = Printer(source.label if several else "", test, None if test is None else count)
        # A pattern chooses among all there is; the last N are those that match.
        printer.run(source.history(count if test is None else sys.maxsize))
        if printer.has_input:
            silent.pop(source.label, None)
        going.append((source, printer))
    for path in reversed(silent.values()) if count else ():  # whoever asks for no lines is told nothing
        out.note(f"no output yet: {path}")
    return going


def _end(
    going: list[tuple[Source, Printer]], follow: bool, changes: JournalNews | None = None, names: tuple[str, ...] = ()
) -> int:
    if not follow:
        for _, printer in going:
            printer.finish()
        return 0
    while True:
        for source, printer in going:
            printer.run(source.news())
        for event in changes.read() if changes else ():
            if event.get("service") in names and event.get("kind") in TOLD:
                out.note(f"-- {clean(str(event.get('text')))} --")
        out.rest(EVERY_S)


class Printer:
    """Lines of one source: chosen, made safe for a terminal, and named where there are several sources.

    Where none of that is to be done the bytes are passed on as they are.
    """

    def __init__(self, label: str, test: Test | None, keep_last: int | None) -> None:
        self._prefix = f"{label} | ".encode() if label else b""
        self._test = test
        self._keep_last = keep_last  # of the first run only
        self._splitter = Splitter()
        self._make_safe = out.is_terminal()
        self._as_they_are = not label and test is None and not self._make_safe
        self.has_input = False

    def run(self, data: Iterable[bytes]) -> None:
        kept: list[bytes] = []
        for chunk in data:
            self.has_input = True
            if self._as_they_are:
                out.show_bytes(chunk)
                continue
            lines = self._chosen(self._splitter.feed(chunk))
            if self._keep_last is None:
                self._show(lines)
            else:
                kept = (kept + lines)[-self._keep_last :] if self._keep_last else []
        self._keep_last = None
        self._show(kept)

    def finish(self) -> None:
        """The end of a last line without a line end is shown too."""
        self._show(self._chosen(self._splitter.finish()))

    def _chosen(self, lines: list[bytes]) -> list[bytes]:
        return lines if self._test is None else [line for line in lines if self._test(line)]

    def _show(self, lines: list[bytes]) -> None:
        if lines:
            shown = map(for_terminal, lines) if self._make_safe else lines
            out.show_bytes(b"".join(self._prefix + line + b"\n" for line in shown))
