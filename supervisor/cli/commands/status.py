"""`sbctl status [NAME...]`."""

from __future__ import annotations

import json
from typing import Any

import click

from supervisor.base.errors import NOT_RUNNING, USAGE, Problem
from supervisor.cli import out, quick, table
from supervisor.cli.main import Asked
from supervisor.cli.report import look
from supervisor.cli.unreached import LOST, who_runs
from supervisor.control.api import unknown_name
from supervisor.control.status import status_without_start, stopped_status, tree_status
from supervisor.model.home import Home

EVERY_S = 2.0
CLEAR = "\x1b[H\x1b[J"  # home, then to the end: what was scrolled away before stays to be looked at


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object")
@click.option(
    "--plain", is_flag=True, help="name, state, desired, pid, uptime in seconds, restarts, detail; tabs between"
)
@click.option("--watch", is_flag=True, help="Show it again every two seconds")
@click.option("--check", is_flag=True, help="Exit with 150 if something that should run does not")
@click.pass_obj
def command(asked: Asked, names: tuple[str, ...], as_json: bool, plain: bool, watch: bool, check: bool) -> int:
    """Show what runs, since when, and what is wrong.

    Exit codes: 0 it runs (even if a service does not), 1 it was killed and left its PID file, 3 it is stopped,
    4 no telling, 150 with --check: something desired is not running.
    """
    if as_json and plain:
        raise Problem("--json or --plain, not both", code=USAGE)
    try:
        home = asked.home()
    except Problem as problem:
        problem.code = quick.CANT_TELL  # 6 is not among the codes of a status
        raise
    show = _show_json if as_json else _show_text
    style = table.Style(colour=out.wants_colour(asked.colour), utf8=out.speaks_utf8(), width=out.width())
    while True:
        if watch and out.is_terminal() and not as_json:
            out.show_bytes(CLEAR.encode())
        code = show(home, names, plain, check, style)
        if not watch:
            return code
        out.rest(EVERY_S)


def _show_text(home: Home, names: tuple[str, ...], plain: bool, check: bool, style: table.Style) -> int:
    try:
        found = look(home)
    except Problem as problem:
        text, code = quick.without_answer(home, problem)
        (out.note if code == quick.CANT_TELL else out.show)(text)
        return code
    found = quick.narrowed(found, names)
    lines = table.plain(found.rows) if plain else quick.status_lines(found, home, style)
    if lines:
        out.show("\n".join(lines))
    return quick.SOMETHING_MISSING if check and any(row.state != "running" for row in _wanted(found)) else quick.UP


def _wanted(found: quick.Snapshot) -> list[table.Row]:
    return [row for row in found.rows if row.desired == "up"]


def _show_json(home: Home, names: tuple[str, ...], _plain: bool, check: bool, _style: table.Style) -> int:
    try:
        status = tree_status(home, quick.PATIENCE_S)
    except Problem as problem:
        return _show_json_without(home, names, problem)
    if names:
        status["services"] = _chosen(status["services"], names)
    out.show(json.dumps(status, ensure_ascii=False))
    missing = any(row["desired"] == "up" and row["state"] != "running" for row in status["services"])
    return quick.SOMETHING_MISSING if check and missing else quick.UP


def _show_json_without(home: Home, names: tuple[str, ...], problem: Problem) -> int:
    if problem.code == NOT_RUNNING and (holder := who_runs(home)) is not None and holder.kind == LOST:
        problem = holder.problem()
    _, code = quick.without_answer(home, problem)
    if problem.code != NOT_RUNNING:
        out.show(json.dumps({**stopped_status("unknown"), "error": problem.as_dict()}, ensure_ascii=False))
        return code
    status = status_without_start(home, quick.PATIENCE_S, "starting" if code == quick.UP else "stopped")
    if names and status["services"]:
        status["services"] = _chosen(status["services"], names)
    out.show(json.dumps(status, ensure_ascii=False))
    return code


def _chosen(rows: list[dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    by_name = {row["name"]: row for row in rows}
    for name in names:
        if name not in by_name:
            problem = unknown_name(name, by_name)
            problem.code = quick.CANT_TELL
            raise problem
    return [by_name[name] for name in names]
