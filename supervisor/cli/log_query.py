"""Which services, which of their lines, in which order: from what a person asked to lines of output."""

from __future__ import annotations

import heapq
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.ansi import plain
from supervisor.cli.compiling import read_compiled
from supervisor.cli.daemon_source import EventSource
from supervisor.cli.levels import Levels, at_least
from supervisor.cli.names import check_name, known_services, meant, output_file
from supervisor.cli.sources import ALL, ERR, EVENT, OUT, Line, Range, RawSource, Source
from supervisor.control.api import SCHEDULER
from supervisor.model.home import Home
from supervisor.model.launch import NONE
from supervisor.model.service import CORE_NAMES, SELF_NAME

Test = Callable[[Line], bool]
Group = list[Source]  # what is merged and counted together: the streams of one service

MAX_LEVEL_TEXT = 64 << 10
LOOK_BACK = 200  # lines before the first one that is shown, for its level: it may be within a traceback


class Query(NamedTuple):
    """What is wanted, beside of whom."""

    range: Range  # its count is that of each group, after the tests
    tests: Sequence[Test] = ()
    follow: bool = False
    levels: Levels | None = None  # each line gets its level, which tests and views may ask for


def services_of(home: Home, words: Sequence[str]) -> list[str]:
    """Names, patterns and plugins with several instances; no word means all plugin servers."""
    known = known_services(home)
    if not words:
        return sorted(known - set(CORE_NAMES))
    known |= {SELF_NAME}
    names: list[str] = []
    for word in words:
        found = meant(word, known)
        if not found:
            _check(home, word)
            found = [word]
        names += found
    return list(dict.fromkeys(names))


def _check(home: Home, word: str) -> None:
    """One that is no more may have left a log; what only has jobs has none."""
    try:
        check_name(home, word)
    except Problem:
        schedules = (read_compiled(home, "scheduler") or {}).get("schedules") or {}
        jobs = {*schedules.get("commands", ()), *(row["id"] for row in schedules.get("schedules", ()))}
        if word not in jobs:
            raise
        raise Problem(
            f"{word} has no server, so there is no log of one",
            why="what its commands write is kept with each run",
            remedy=f"sbctl runs {word}; then: sbctl show RUN --log",
            code=USAGE,
        ) from None


class Outputs:
    """Where the output of each service lies, and what is not kept of it."""

    def __init__(self, home: Home, stream: str = "", *, commands: bool = False) -> None:
        self._home = home
        self._stream = stream  # only this one; "": both
        self._commands = commands  # instead: of the commands beside it
        services = (read_compiled(home, "scheduler") or {}).get("services", ())
        self._launches: dict[str, dict[str, Any]] = {service["name"]: service["launch"] for service in services}
        self.remarks: list[str] = []

    def groups_of(self, name: str) -> list[Group]:
        """A daemon tells events and prints only when it breaks; the tunnel has its program's output as well."""
        home, path = self._home, output_file(self._home, name)
        if self._commands:
            if name in (*CORE_NAMES, SELF_NAME):
                self.remarks.append(f"{name} has no commands beside it")
                return []
            return [[RawSource(name, path.removesuffix(".log") + ".commands.log")]]
        if name not in (*CORE_NAMES, SELF_NAME):
            return [self._streams(name, self._launches.get(name) or {"log": path, "err_log": _err_beside(path)})]
        groups: list[Group] = [[RawSource(name, path)]]
        if name == "tunnel":
            groups.append([RawSource(name, home.provider_log)])
        if self._stream:
            return groups
        if name == SELF_NAME:
            groups.insert(0, [EventSource(name, home.start_log)])
        if name == SCHEDULER:
            groups.insert(0, [EventSource(name, home.journal_file, teller=SCHEDULER)])
        return groups

    def _streams(self, name: str, launch: dict[str, Any]) -> Group:
        if launch.get("sink") == NONE:
            self.remarks.append(f"{name}: its output is not kept: its settings say log: none")
            if not os.path.exists(launch["log"]):
                return []
        found: Group = []
        if self._stream in ("", OUT):
            found.append(RawSource(name, launch["log"], OUT))
        err = launch.get("err_log")  # settings of an older version know of none
        if err and self._stream in ("", ERR):
            found.append(RawSource(name, err, ERR))
        if not err and self._stream == ERR:
            self.remarks.append(f"{name}: its stderr is not kept apart; it is with its stdout")
        return found


def _err_beside(path: str) -> str:
    """Of a service that is in no settings any more."""
    err = path.removesuffix(".log") + ".err.log"
    return err if os.path.exists(err) else ""


def history(groups: Sequence[Group], query: Query) -> Iterator[Line]:
    """The lines of the past. Those of several services come in the order of their times, to the second."""
    parts = [_select(group, query) for group in groups]
    labels = {source.label for group in groups for source in group}
    return itertools.chain(*parts) if len(labels) < 2 else _merged(parts)


def _select(group: Group, query: Query) -> Iterator[Line]:
    """Of a group: what passes the tests, and of that the last ones."""
    count = query.range.count
    wanted = query.range
    if query.tests:
        wanted = replace(wanted, count=ALL)
    elif query.levels is not None and count != ALL:
        wanted = replace(wanted, count=count + LOOK_BACK)
    lines = _merged([source.lines(wanted, follow=query.follow) for source in group])
    found = chosen(lines, query)
    # One source that was not tested gives no more than it was asked for.
    is_exact = len(group) == 1 and wanted is query.range and not wanted.is_counted
    return found if count == ALL or is_exact else iter(deque(found, count))


def _merged(parts: list[Iterator[Line]]) -> Iterator[Line]:
    return heapq.merge(*parts, key=lambda line: line.at) if len(parts) > 1 else itertools.chain(*parts)


def chosen(lines: Iterable[Line], query: Query) -> Iterator[Line]:
    """Those that pass the tests, with their levels."""
    if query.levels is not None:
        lines = _with_levels(lines, query.levels)
    return (line for line in lines if all(test(line) for test in query.tests))


def _with_levels(lines: Iterable[Line], levels: Levels) -> Iterator[Line]:
    for line in lines:
        yield Line(line.at, line.service, line.stream, line.text, _level_of(line, levels))


def _level_of(line: Line, levels: Levels) -> str:
    text = plain(line.text[:MAX_LEVEL_TEXT]).decode("utf-8", "replace")
    return levels.of((line.service, line.stream), text)


def level_test(level: str) -> Test:
    """Of lines that have one: the query needs `levels`."""
    wanted = at_least(level)
    return lambda line: line.stream != EVENT and line.level in wanted
