"""`run`, `retry` and `cancel`: ask the scheduler, wait for the end, and show the output meanwhile."""

from __future__ import annotations

import time

from supervisor.base.errors import FAILED, NOT_RUNNING, TIMED_OUT, USAGE, Problem
from supervisor.cli import out, past
from supervisor.cli.marks import short, words
from supervisor.cli.run_finding import no_such_run
from supervisor.cli.run_output import Output
from supervisor.cli.run_rows import exit_code, is_over, last_words, outcome, run_facts
from supervisor.cli.schedule_zones import told, zone_of
from supervisor.cli.schedules import ask, in_force
from supervisor.cli.secrets import mask_of
from supervisor.cli.times import parse_iso
from supervisor.cli.zones import minute
from supervisor.model.rows import clean
from supervisor.model.run import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home

    Facts = dict[str, Any]

SLICE_S = 20.0  # of waiting, so that a scheduler that goes away is noticed
FOLLOW_S = 0.15
AWAY_S = 30.0  # so long a scheduler that is being restarted is waited for: the run goes on without it
PAUSE_S = 0.3
HISTORY_S = 5.0


class Wish:
    """What is to happen once the run has been accepted."""

    __slots__ = ("as_json", "colour", "exit_code", "follow", "timeout", "wait")

    def __init__(
        self,
        *,
        wait: bool = False,
        follow: bool = False,
        exit_code: bool = False,
        timeout: float | None = None,
        as_json: bool = False,
        colour: bool = False,
    ) -> None:
        self.wait = wait or follow or exit_code
        self.follow = follow
        self.exit_code = exit_code
        self.timeout = timeout
        self.as_json = as_json
        self.colour = colour
        if follow and as_json:
            raise Problem("--json and -f contradict each other", remedy="--wait --json, then sbctl show", code=USAGE)
        if timeout is not None and not self.wait:
            raise Problem("--timeout is how long to wait", remedy="add --wait or -f", code=USAGE)


def start_run(home: Home, wish: Wish, *, name: str = "", **asked: Any) -> int:
    """Ask for it; `asked` is what the verb `run` takes."""
    retried = asked.get("retry")
    asked = {key: value for key, value in asked.items() if value}
    if name:
        asked["name"] = name
    if not name:
        raise _nothing_named(retried)
    called = name
    try:
        reply = ask(home, "run", **asked, by=login())
    except Problem as problem:
        if problem.code == USAGE and name:
            _refuse_server(home, name)
        raise
    held = reply.get("held")
    if held is not None:
        return _tell_held(home, called, held, wish)
    run, schedule = str(reply["run"]), str(reply.get("schedule") or called)
    if not wish.wait:
        said = f"{run} of {schedule} was accepted"
        out.answer(said, reply, as_json=wish.as_json)
        if not wish.as_json:
            out.note(f"  next: sbctl show {run}; sbctl run --wait waits for the end")
        return 0
    return _see_through(home, run, schedule, wish, reply)


def _nothing_named(retried: str | None) -> Problem:
    if retried is not None:
        return no_such_run(retried)
    return Problem("no schedule and no plugin has an empty name", remedy="sbctl schedule list", code=USAGE)


def _refuse_server(home: Home, name: str) -> None:
    """It is a service and has no commands: `run` is not what is meant."""
    from supervisor.cli.names import known_services, meant

    plugin = name.partition(":")[0]
    if meant(name, known_services(home)) and not in_force(home).commands.get(plugin):
        raise Problem(
            f"{name} is a server, and has no commands that could be run",
            why="sbctl run is for the commands get, process, push and the like of a plugin",
            remedy=f"sbctl start {name}",
            code=USAGE,
        )


def _tell_held(home: Home, name: str, held: Facts, wish: Wish) -> int:
    if wish.as_json:
        out.answer("", {"run": None, "held": held}, as_json=True)
    its, now = zone_of(home, (name,)), time.time()
    said = mask_of(home).hide_text(str(held.get("reason") or ""))
    until, reason = parse_iso(held.get("until")), told(said, its, now)
    why = held_text(str(held.get("gate")), reason, "" if until is None else minute(until, its, now))
    if until is not None or reason != said:
        why += f" ({its.name})"
    out.note(Problem(f"{name} was not run", why=clean(why), remedy="--force passes it", code=FAILED).text())
    return FAILED


def held_text(gate: str, reason: str, until: str) -> str:
    """`cooldown: 3 failures in a row, until 14:00`; what the reason says itself is not said twice."""
    text = reason if reason.startswith(gate) else f"{gate.replace('_', ' ')}: {reason or 'shut'}"
    return text if not until or ", until " in reason else f"{text}, until {until}"


# waiting


def _see_through(home: Home, run: str, schedule: str, wish: Wish, reply: Facts) -> int:
    log = str(reply.get("log") or home.run_log(schedule.partition(".")[0], run))
    output = Output(home, log, colour=wish.colour) if wish.follow else None
    until = None if wish.timeout is None else time.monotonic() + wish.timeout
    if not wish.as_json:
        out.note(f"{run} of {schedule}")
    try:
        row = _wait(home, run, output, until)
    except KeyboardInterrupt:
        out.note(f"{run} goes on: sbctl show {run}; sbctl cancel {run}")
        raise
    finally:
        if output is not None:
            output.close()
    facts = mask_of(home).hide_in(run_facts(row))
    out.answer("", {**reply, "result": facts}, as_json=wish.as_json)
    if not wish.as_json:
        tell_end(facts)
    return exit_code(facts, of_job=wish.exit_code)


def _wait(home: Home, run: str, output: Output | None, until: float | None) -> Facts:
    """Its row once it has ended."""
    while True:
        left = SLICE_S if until is None else until - time.monotonic()
        if left <= 0:
            raise Problem(
                f"{run} did not end in time",
                why="it goes on",
                remedy=f"sbctl show {run}; sbctl cancel {run}",
                code=TIMED_OUT,
            )
        patience = min(left, FOLLOW_S if output else SLICE_S)
        reply = _ask_patiently(home, run, patience)
        if output is not None:
            output.show()
        if reply.get("ended"):
            if output is not None:
                output.show(last=True)
            row: Facts = reply["run"] or _remembered(home, run)
            return row
        out.rest(0)


def _remembered(home: Home, run: str) -> Facts:
    """Of one that had ended before anybody asked; its last row may just be being written."""
    until = time.monotonic() + HISTORY_S
    while True:
        row = past.run(home, run)
        if row is not None and is_over(row["state"]):
            return row
        if time.monotonic() > until:
            raise Problem(
                f"{run} has ended, and the history does not say how",
                why="it is behind, or can't be written",
                remedy="sbctl why scheduler; sbctl runs",
                code=FAILED,
            )
        out.rest(PAUSE_S)


def _ask_patiently(home: Home, run: str, patience: float) -> Facts:
    """A scheduler that is restarted meanwhile comes back, and the run has gone on."""
    gone: float | None = None
    while True:
        try:
            return ask(home, "wait_run", limit=patience + 5.0, run=run, timeout=patience)
        except Problem as problem:
            now = time.monotonic()
            gone = now if gone is None else gone
            if problem.code != NOT_RUNNING or now - gone > AWAY_S:
                raise
        out.rest(PAUSE_S)


def tell_end(run: Facts) -> None:
    """One sentence on stderr, and the last words of what failed."""
    lasted = run.get("took_s")
    after = f" after {short(lasted)}" if lasted is not None else ""
    state = str(run.get("state"))
    how = outcome(run)
    detail = f" ({how})" if how and how != words(state) else ""
    out.note(f"{run['id']} {words(state)}{detail}{after}" + (f": {clean(str(run['cause']))}" if run["cause"] else ""))
    if state != RunState.SUCCEEDED:
        for line in last_words(run)[-3:]:
            out.note(f"  {clean(line)}")
        out.note(f"  next: sbctl show {run['id']} --log")


def login() -> str:
    """Who asks, for the record."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a number without an entry, as in containers
        return str(os.geteuid())
