"""`sbctl status [NAME...]`."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from typing import Any

import click

from supervisor.base.errors import NOT_RUNNING, USAGE, Problem
from supervisor.cli import out, quick, table
from supervisor.cli.details import mask_facts, mask_rows
from supervisor.cli.ended import ended_by
from supervisor.cli.fitting import fit
from supervisor.cli.json_text import encode
from supervisor.cli.left import left_of
from supervisor.cli.main import Asked
from supervisor.cli.names import meant
from supervisor.cli.params import Duration, OptionalValue
from supervisor.cli.report import look
from supervisor.cli.unreached import LOST, who_runs
from supervisor.control.api import unknown_name
from supervisor.control.status import status_without_start, stopped_status, tree_status
from supervisor.model.home import Home
from supervisor.model.rows import is_missed

EVERY_S = 2.0
LEAST_S = 0.2
CLEAR = "\x1b[H\x1b[J"  # home, then to the end: what was scrolled away before stays to be looked at


@click.command(cls=OptionalValue)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; with --watch one a line")
@click.option(
    "--plain",
    is_flag=True,
    help="name, state, desired, pid, uptime in seconds, restarts, detail, CPU %, memory in bytes, threads, processes; "
    "tabs between",
)
@click.option(
    "--watch",
    "every",
    type=Duration(),
    is_flag=False,
    flag_value=EVERY_S,
    metavar="[2s]",
    help="Show it again and again, until Ctrl-C",
)
@click.option("--check", is_flag=True, help="Exit with 150 if something that should run does not, or can't do its work")
@click.pass_obj
def command(asked: Asked, names: tuple[str, ...], as_json: bool, plain: bool, every: float | None, check: bool) -> int:
    """Show what runs, since when, and what is wrong.

    A name may be a plugin with all its instances, or a pattern like 'web*'.
    Exit codes: 0 it runs (even if a service does not), 1 it was killed and left its PID file, 3 it is stopped,
    4 no telling, 150 with --check: something desired is not running, or says that it is not ready.
    """
    if as_json and plain:
        raise Problem("--json or --plain, not both", code=USAGE)
    if every is not None and every < LEAST_S:
        raise Problem(f"--watch {every:g} is too often", remedy=f"at least {LEAST_S:g} (seconds)", code=USAGE)
    if every is not None and check:
        remedy = "sbctl status --check as often as you like; --watch --json for a program that decides itself"
        raise Problem("--watch or --check, not both", why="--watch never ends with a code", remedy=remedy, code=USAGE)
    try:
        home = asked.home()
    except Problem as problem:
        problem.code = quick.CANT_TELL  # 6 is not among the codes of a status
        raise
    view = View(home, names, asked.colour, as_json=as_json, plain=plain, check=check)
    return view.show() if every is None else view.watch(every)


class View:
    """What was asked to be seen, and how."""

    def __init__(
        self, home: Home, names: tuple[str, ...], colour: str, *, as_json: bool, plain: bool, check: bool
    ) -> None:
        self._home = home
        self._names = names
        self._colour = colour
        self._plain = plain
        self._check = check
        self.show = self._show_json if as_json else self._show_text
        self._draws = out.is_terminal() and not as_json
        self._redraws = False

    def watch(self, every: float) -> int:
        """For ever: Ctrl-C ends it, and so does the end of whoever reads it."""
        self._redraws = self._draws
        resized = _hear_of_sizes() if self._draws else -1
        while True:
            if self._draws:
                out.show_bytes(CLEAR.encode())
            self.show()
            out.rest(every, until=resized)
            if resized >= 0:
                _forget_sizes(resized)

    def _show_text(self) -> int:
        try:
            found = look(self._home)
        except Problem as problem:
            text, code = quick.without_answer(self._home, problem)
            (out.note if code == quick.CANT_TELL else out.show)(text)
            return code
        found = quick.narrowed(found, _expanded(self._names, [row.name for row in found.rows]))
        mask_rows(self._home, found.rows)
        style = table.Style(colour=out.wants_colour(self._colour), utf8=out.speaks_utf8(), width=out.width())
        lines = table.plain(found.rows) if self._plain else quick.status_lines(found, self._home, style)
        if self._redraws:
            first = 0 if self._plain else quick.first_row(found)
            # One line less than there are: the last line end would scroll the first away.
            lines = fit(lines, found.rows, first, style.width, out.height() - 1, utf8=style.utf8)
        if lines:
            out.show("\n".join(lines))
        return self._code(any(row.is_missed for row in found.rows))

    def _show_json(self) -> int:
        try:
            status = tree_status(self._home, quick.PATIENCE_S)
        except Problem as problem:
            return self._show_json_without(problem)
        status["services"] = self._chosen(status["services"])
        mask_facts(self._home, status["services"])
        out.show(encode(status))
        return self._code(any(_is_missed(row) for row in status["services"]))

    def _show_json_without(self, problem: Problem) -> int:
        if problem.code == NOT_RUNNING and (holder := who_runs(self._home)) is not None and holder.kind == LOST:
            problem = holder.problem()
        _, code = quick.without_answer(self._home, problem)
        if problem.code != NOT_RUNNING:
            out.show(encode({**stopped_status("unknown"), "error": problem.as_dict()}))
            return code
        state = "starting" if code == quick.UP else "stopping" if left_of(self._home) else "stopped"
        status = status_without_start(self._home, quick.PATIENCE_S, state)
        if state == "stopped" and not status["services"] and (why := ended_by(self._home)):
            status["remarks"] = [why]
        if status["services"]:
            status["services"] = self._chosen(status["services"])
            mask_facts(self._home, status["services"])
        out.show(encode(status))
        return code

    def _chosen(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not self._names:
            return rows
        by_name = {row["name"]: row for row in rows}
        return [by_name[name] for name in _expanded(self._names, by_name)]

    def _code(self, missing: bool) -> int:
        return quick.SOMETHING_MISSING if self._check and missing else quick.UP


def _is_missed(row: dict[str, Any]) -> bool:
    return is_missed(row["state"], row["desired"], unready=row["ready"] is False)


def _expanded(words: tuple[str, ...], known: Iterable[str]) -> tuple[str, ...]:
    """The names that are meant. (An unknown one is no case for the exit code 2, which a status does not have.)"""
    known = list(known)
    names: list[str] = []
    for word in words:
        found = meant(word, known)
        if not found:
            problem = unknown_name(word, known)
            problem.code = quick.CANT_TELL
            raise problem
        names += found
    return tuple(dict.fromkeys(names))


def _hear_of_sizes() -> int:
    """What can be read once the terminal has got another size, also if that was a moment before it is waited for."""
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGWINCH, lambda _number, _frame: None)
    return reader


def _forget_sizes(reader: int) -> None:
    with contextlib.suppress(BlockingIOError):
        os.read(reader, 4096)
