"""What a desk does with all that its predecessor left: runs that go on, claims that never began, runs nobody saw end.

note, live step         it goes on, and its end is heard here
note, ended             its end goes into the history, unless it is there
row queued or claimed   it never began: it waits for its turn again; unless the journal has its beginning
row running, no note    it died with `start` or with the machine: lost; unless the journal has its end
"""

from __future__ import annotations

import os

from supervisor.base import jsons
from supervisor.core.breaker import HALF_OPEN, neither
from supervisor.core.gates import Held
from supervisor.core.pipeline import ENDED
from supervisor.engine.entries import KEPT, close_fds, is_step
from supervisor.model.run import RunState, Skip, Trigger
from supervisor.model.schedule import Policy
from supervisor.runs import columns, cursors
from supervisor.runs.context import Context
from supervisor.runs.run import NOTE, Run
from supervisor.runs.seconds import cause_of, note_of
from supervisor.runs.stories import Story, stories_of
from supervisor.store.rows import RunRow, SlotRow, StepRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Set
    from typing import Any

    from supervisor.runs.desk import Desk
    from supervisor.runs.unread import Unread
    from supervisor.store.rows import Loaded

LOST = "sbctl or this machine died in the middle of it"


def _of_none(_runs: Iterable[str]) -> Set[str]:
    return frozenset()


class Left:
    """Steps and runs of a predecessor, taken out of what `start` has kept."""

    __slots__ = ("_stories", "entries", "notes", "past", "told")

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.told: Callable[[Iterable[str]], Set[str]] = _of_none  # those of these runs whose end is in the journal
        self.past: Callable[[], list[dict[str, Any]]] = list  # reads the end of the journal
        self._stories: dict[str, Story] | None = None

    def story(self, run_id: str) -> Story:
        """What the journal says of it; read only if there is a run without a note."""
        if self._stories is None:
            self._stories = stories_of(self.past())
        return self._stories.get(run_id) or Story()

    @property
    def over(self) -> list[str]:
        """Runs that have ended, as far as `start` knows; whether the history has that is to be asked."""
        return [note["id"] for note in self.notes if note["progress"].get("phase") == ENDED]

    def take(self, entries: list[dict[str, Any]], notes: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """What is none of ours."""
        self.entries = [entry for entry in entries if is_step(entry["key"])]
        for name in [name for name in notes if name.startswith(NOTE)]:
            self.notes.append(notes.pop(name))
        return [entry for entry in entries if not is_step(entry["key"])]


def open_desk(desk: Desk, left: Left, loaded: Loaded) -> int:
    """Returns how many runs go on."""
    noted: set[str] = set()
    going = 0
    desk.outcomes.forgive_again()
    desk.promises.begin()
    if desk.unread is None:
        desk.promises.learn(loaded, [note["id"] for note in left.notes])
    runs = sorted(map(Run.from_note, left.notes), key=lambda run: run.nominal or 0)
    desk.outcomes.seconds.take_over(runs, loaded.runs)
    entries = {entry["key"]: entry for entry in left.entries}
    told = left.told(run.id for run in runs if run.progress.phase == ENDED)
    for run in runs:
        noted.add(run.id)
        if run.unledgered:
            _claim_again(desk, run)
        if run.progress.phase != ENDED:
            _go_on(desk, run, entries.pop(run.key, None))
            going += 1
        elif desk.unread is not None and run.id not in loaded.ended:
            desk.unread.over.append((run, run.id in told))
        else:
            _end_again(desk, run, loaded, told=run.id in told)
    for entry in entries.values():
        _let_go(desk, entry)
    _restore_all(desk, [row for row in loaded.runs if row["id"] not in noted], left)
    desk.outcomes.forgive_again()  # ends that were told again have counted again
    return going


def learn(desk: Desk, loaded: Loaded, unread: Unread) -> int:
    """Of a desk that had to begin without its history. Returns how many runs there were that it did not know of."""
    now = desk.loop.clock.wall()
    if any(cursors.is_ahead(cursor, now) for cursor in loaded.cursors.values()):
        desk.writer.cut(int(now))
    desk.outcomes.forgive_again()
    known = unread.known(desk)
    rows = [row for row in loaded.runs if row["id"] not in known and row["id"] not in desk.claims]
    desk.outcomes.seconds.take_over((), rows)
    for run, told in unread.over:
        desk.loop.guard(_end_again_as_told if told else _end_again, desk, run, loaded)
    later = {plan.id: plan.queued for plan in desk.plans.values() if plan.queued}
    for name in later:
        desk.plans[name].queued = ()
    _restore_all(desk, rows, unread.left)
    for name, queued in later.items():
        desk.plans[name].queued += queued  # behind those that were there before
    for plan in desk.plans.values():
        desk.planner.finished(plan)
    desk.turns.of_all_soon()
    desk.promises.learn(loaded, known)
    return len(rows)


def _restore_all(desk: Desk, rows: list[dict[str, Any]], left: Left) -> None:
    for row in rows:
        desk.loop.guard(_restore, desk, row, left)  # a row that can't be read costs no other run, and not the desk
    for plan in desk.plans.values():
        if plan.breaker.state == HALF_OPEN and not desk.runner.of(plan.id):
            plan.breaker = neither(plan.breaker)  # a probe of which nothing is left


def _claim_again(desk: Desk, run: Run) -> None:
    """It began before its claim was on the disk, and who had it in mind is dead: its slot must not come again."""
    plan = desk.plans.get(run.schedule)
    if plan is None or run.nominal is None or not run.takes_a_slot:
        return
    # What came before it was decided too, and that is not on the disk either, unless it ran.
    if not cursors.is_ahead(run.nominal, desk.loop.clock.wall()):  # else the clock was, and has been set right since
        desk.planner.skip_to(plan, run.nominal - 1, Skip.MISSED)
        plan.cursor = max(plan.cursor, run.nominal)
    slot = SlotRow(
        plan.id, run.nominal, run=run.id, due=int(run.due * 1000), note=note_of(run.after) or None,
        revision=plan.schedule.revision,
    )  # fmt: skip
    row = RunRow(run.id, run.schedule, **columns.of_claim(run), state=RunState.CLAIMED.value)
    desk.writer.claim([slot], row, lambda _ok: None)


def _go_on(desk: Desk, run: Run, entry: dict[str, Any] | None) -> None:
    plan = desk.plans.get(run.schedule)
    policy = plan.schedule.policy if plan is not None else Policy()
    if entry is not None:
        if not entry["empty"]:
            desk.adopt(entry["key"], entry["pid"], entry["started"])
        for name in KEPT:
            if name not in ("out_read", "err_read"):
                close_fds(entry[name])
    desk.outcomes.write_again(run)
    desk.runner.adopt(run, Context(policy, desk.catalogue.commands.get(run.plugin, {})), entry)
    desk.loop.soon(lambda: _watch_length(desk, run))  # it may be heard before that it has ended


def _watch_length(desk: Desk, run: Run) -> None:
    if run.id in desk.runner.runs:
        desk.outcomes.watch_length(run)


def _end_again_as_told(desk: Desk, run: Run, loaded: Loaded) -> None:
    _end_again(desk, run, loaded, told=True)


def _end_again(desk: Desk, run: Run, loaded: Loaded, *, told: bool = False) -> None:
    # One of which it has nothing at all has ended too: by hand it begins without waiting for the disk.
    if run.id in loaded.ended:
        desk.outcomes.write_end_again(run)
    else:
        desk.outcomes.write_again(run)
        desk.outcomes.run_ended(run, told=told)


def _let_go(desk: Desk, entry: dict[str, Any]) -> None:
    for name in KEPT:
        if entry[name] >= 0:
            os.close(entry[name])
    desk.spawner.drop(entry["key"])


def _end_as_told(desk: Desk, run: Run, story: Story) -> None:
    """It has ended, and whoever told so died before it was on the disk."""
    assert story.state is not None
    run.progress.state, run.progress.cause, run.progress.phase = story.state.value, story.cause, ENDED
    run.ended, run.last = story.at or desk.loop.clock.wall(), {"code": story.code, "signal": story.signal}
    for row in story.steps:
        desk.writer.step_ended(StepRow(run.id, **row))
    desk.outcomes.run_ended(run, told=True)


def _restore(desk: Desk, row: dict[str, Any], left: Left) -> None:
    """From its row alone."""
    # The file may have been deleted between its claim and its beginning: then the row does not have it all.
    otherwise = Trigger.SCHEDULE if row["schedule"] else Trigger.MANUAL
    trigger = Trigger(row["trigger"]) if row["trigger"] else otherwise
    steps, given = _read(row["steps"], []), _read(row["args"], {})
    run = Run(row["id"], row["schedule"] or "", row["plugin"], steps, trigger=trigger, due=(row["due"] or 0) / 1000)
    run.args, run.env = given.get("args", []), dict.fromkeys(given.get("env", []), "")  # of which there are names only
    run.nominal, run.claimed = row["nominal"], (row["claimed"] or 0) / 1000
    run.made_up = trigger is Trigger.CATCH_UP and not row["slots"]
    run.started, run.log = (row["started"] or 0) / 1000, row["log"] or ""
    run.correlation, run.retry_of = row["correlation"] or run.id, row["retry_of"] or ""
    run.after = cause_of(row)
    plan = desk.plans.get(run.schedule)
    story = left.story(run.id)
    if story.state is not None:
        _end_as_told(desk, run, story)
        return
    if story.began or row["state"] == RunState.RUNNING.value:
        run.progress.state, run.progress.cause, run.progress.phase = RunState.LOST.value, LOST, ENDED
        run.ended = desk.loop.clock.wall()
        desk.outcomes.run_ended(run)
        return
    if plan is None or (run.nominal is None and trigger not in (Trigger.RERUN, Trigger.CATCH_UP)):
        held = Held("settings", Skip.EDITED, "the schedule has been removed, or it was asked for by hand")
        desk.claims.give_up(run, held)
        return
    desk.turns.wait_again(run, plan)


def _read(column: str | None, otherwise: Any) -> Any:
    """A spoilt one costs what is in it, and not the run."""
    try:
        found = jsons.loads(column) if column else otherwise
    except (ValueError, RecursionError):
        return otherwise
    return found if isinstance(found, type(otherwise)) else otherwise
