"""`sbctl why SERVICE`."""

from __future__ import annotations

import json
import time

import click

from supervisor.base.errors import NOT_RUNNING, TIMED_OUT, USAGE, Problem
from supervisor.cli.main import Asked
from supervisor.cli.names import check_name, refuse_self
from supervisor.cli.out import note, show
from supervisor.cli.secrets import mask_of
from supervisor.cli.story import Facts, from_journal, story
from supervisor.control.api import role_of
from supervisor.control.client import connect
from supervisor.control.status import build_status
from supervisor.events import reading
from supervisor.model.home import Home

LOOK_BACK = 200


@click.command()
@click.argument("service")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with all last words and the last events")
@click.pass_obj
def command(asked: Asked, service: str, as_json: bool) -> int:
    """Say why a service is as it is: what ended it, how often it was tried, its last words, what to do."""
    home = asked.home()
    refuse_self(service)
    facts: Facts = mask_of(home).hide_in(_ask(home, service))
    if as_json:
        show(json.dumps({key: value for key, value in facts.items() if key != "ok"}, ensure_ascii=False))
    else:
        show("\n".join(story(facts, time.time())))
    return 0


def _ask(home: Home, service: str) -> Facts:
    """From the daemon that knows, else what the journal remembers and `start` keeps (and it is said so)."""
    try:
        with connect(home, role_of(service)) as client:
            return client.request("why", name=service)
    except Problem as problem:
        if problem.code == USAGE:
            check_name(home, service)  # it may say more
        if problem.code not in (NOT_RUNNING, TIMED_OUT):
            raise
        check_name(home, service)
        row = _kept(home, service)
        away = _who_is_away(home, row)
        events = reading.last(home.journal_file, LOOK_BACK, service)
        if not events and row is None:  # the scheduler can't be started alone then
            raise Problem(away["away"], why=problem.why, remedy=away["next"], code=problem.code) from None
        if events:
            note(f"{problem.what}: this is what the journal remembers, up to {events[-1].get('at')}")
        return {**from_journal(service, events, row), **away}


def _kept(home: Home, service: str) -> Facts | None:
    """The service's row as `start` keeps it; None when that does not run, or knows of no such service."""
    try:
        rows: list[Facts] = build_status(home)["services"]
    except Problem:
        return None
    return next((row for row in rows if row["name"] == service), None)


def _who_is_away(home: Home, row: Facts | None) -> Facts:
    if row is None:
        return {"away": "sbctl is not running", "next": "sbctl start"}
    if row["state"] == "stopped":
        return {"away": "the scheduler is stopped", "next": "sbctl start scheduler"}
    return {"away": "the scheduler does not answer", "next": "sbctl why scheduler"}
