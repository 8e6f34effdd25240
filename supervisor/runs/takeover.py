"""What a desk does with all that its predecessor left: runs that go on, claims that never began, runs nobody saw end.

note, live step         it goes on, and its end is heard here
note, ended             its end goes into the history, unless it is there
row queued or claimed   it never began: it waits for its turn again
row running, no note    it died with `start` or with the machine: lost
"""

from __future__ import annotations

import os

from supervisor.core.gates import Held
from supervisor.core.pipeline import ENDED
from supervisor.engine.entries import KEPT, close_fds, is_step
from supervisor.model.run import RunState, Skip, Trigger
from supervisor.model.schedule import Policy
from supervisor.runs.run import NOTE, Run
from supervisor.runs.runner import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.runs.desk import Desk
    from supervisor.store.rows import Loaded

LOST = "sbctl or this machine died in the middle of it"


class Left:
    """Steps and runs of a predecessor, taken out of what `start` has kept."""

    __slots__ = ("entries", "notes", "told")

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.told: frozenset[str] = frozenset()  # runs whose end is in the journal

    def take(self, entries: list[dict[str, Any]], notes: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """What is none of ours."""
        self.entries = [entry for entry in entries if is_step(entry["key"])]
        for name in [name for name in notes if name.startswith(NOTE)]:
            self.notes.append(notes.pop(name))
        return [entry for entry in entries if not is_step(entry["key"])]


def open_desk(desk: Desk, left: Left, loaded: Loaded) -> int:
    """Returns how many runs go on."""
    live = {row["id"]: row for row in loaded.runs}
    noted: set[str] = set()
    going = 0
    entries = {entry["key"]: entry for entry in left.entries}
    for note in left.notes:
        run = Run.from_note(note)
        noted.add(run.id)
        if run.progress.phase == ENDED:
            _end_again(desk, run, left, is_live=run.id in live or run.unledgered or bool(loaded.trouble))
        else:
            _go_on(desk, run, entries.pop(run.key, None))
            going += 1
    for entry in entries.values():
        _let_go(desk, entry)
    for row in loaded.runs:
        if row["id"] not in noted:
            _restore(desk, row)
    return going


def _go_on(desk: Desk, run: Run, entry: dict[str, Any] | None) -> None:
    plan = desk.plans.get(run.schedule)
    policy = plan.schedule.policy if plan is not None else Policy()
    if entry is not None:
        if not entry["empty"]:
            desk.adopt(entry["key"], entry["pid"], entry["started"])
        for name in KEPT:
            if name not in ("out_read", "err_read"):
                close_fds(entry[name])
    desk.runner.adopt(run, Context(policy, desk.catalogue.commands.get(run.plugin, {})), entry)
    desk.outcomes.watch_length(run)


def _end_again(desk: Desk, run: Run, left: Left, *, is_live: bool) -> None:
    if not is_live:
        desk.runner.forget_note(run.id)
    else:
        desk.outcomes.run_ended(run, told=run.id in left.told)


def _let_go(desk: Desk, entry: dict[str, Any]) -> None:
    for name in KEPT:
        if entry[name] >= 0:
            os.close(entry[name])
    desk.spawner.drop(entry["key"])


def _restore(desk: Desk, row: dict[str, Any]) -> None:
    """From its row alone."""
    trigger = Trigger(row["trigger"])
    run = Run(row["id"], row["schedule"] or "", row["plugin"], [], trigger=trigger, due=(row["due"] or 0) / 1000)
    run.nominal, run.claimed = row["nominal"], (row["claimed"] or 0) / 1000
    run.started, run.log = (row["started"] or 0) / 1000, row["log"] or ""
    run.correlation = row["correlation"] or run.id
    plan = desk.plans.get(run.schedule)
    if row["state"] == RunState.RUNNING.value:
        run.progress.state, run.progress.cause, run.progress.phase = RunState.LOST.value, LOST, ENDED
        run.ended = desk.loop.clock.wall()
        desk.outcomes.run_ended(run)
        return
    if plan is None or (run.nominal is None and trigger not in (Trigger.RERUN, Trigger.CATCH_UP)):
        held = Held("settings", Skip.EDITED, "the schedule has been removed, or it was asked for by hand")
        desk.claims.give_up(run, held)
        return
    desk.claims.wait_again(run, plan)
