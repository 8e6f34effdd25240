"""A desk that had to begin without its history, as that could not be read: what it did until then, and what it makes up
for once it can be read.

It does not wait for a lock for ever, so it begins with what comes. Nothing that it does not know is written over, and
later it learns all of it: which runs wait or were lost, what is cooling down, and which slots nobody has decided.
"""

from __future__ import annotations

from supervisor.model.run import RunState
from supervisor.runs import cursors
from supervisor.runs.plan import NOTHING_WRONG, RECENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan
    from supervisor.runs.run import Run
    from supervisor.runs.takeover import Left
    from supervisor.store.rows import Loaded


class Unread:
    """Of one desk, from its beginning until it has learned what was."""

    __slots__ = ("_begun", "_cursors", "_forgiven", "_known", "_past", "left", "over")

    def __init__(self, left: Left) -> None:
        self.left = left
        left.story("")  # what the journal says now, before there is more of our own in it
        self.over: list[tuple[Run, bool]] = []  # ended under a predecessor; whether that was told
        self._known = {str(note["id"]) for note in left.notes}  # runs of which we know more than the history
        self._past: list[tuple[str, Run | None]] = []  # in their order: of a schedule a run that ended, or a pardon
        self._begun: dict[str, int] = {}  # how many runs, by schedule
        self._cursors: dict[str, int] = {}  # up to where this desk has decided nothing

    def opened(self, desk: Desk) -> None:
        self._cursors = {plan.id: plan.cursor for plan in desk.plans.values()}
        desk.writer.blind(int(desk.loop.clock.wall()))

    # what happens meanwhile

    def began(self, run: Run) -> None:
        self._begun[run.schedule] = self._begun.get(run.schedule, 0) + 1

    def ended(self, run: Run) -> None:
        self._past.append((run.schedule, run))

    def gone(self, run: Run) -> None:
        """It is over, or does not begin."""
        self._known.add(run.id)

    def forgiven(self, plan: Plan) -> None:
        """A person has ended its cool-down."""
        self._past.append((plan.id, None))

    # what is learned

    def known(self, desk: Desk) -> set[str]:
        """Runs that are ours, or were handed over to us: the history says nothing new of them."""
        queued = {run.id for plan in desk.plans.values() for run in plan.queued}
        return self._known | desk.runner.runs.keys() | queued

    def learn(self, desk: Desk, loaded: Loaded, decode: Callable[[str], Any]) -> None:
        """How each schedule would be now, had that been known at the beginning."""
        wall = desk.loop.clock.wall()
        for plan in desk.plans.values():
            self._restore(plan, loaded.schedules.get(plan.id), wall, decode)
            plan.held_ends = (*loaded.held_ends.get(plan.id, ()), *plan.held_ends)
            self._pass_gap(desk, plan, loaded, wall)
        forgiven = [(plan.id, None) for plan in desk.plans.values() if desk.outcomes.is_forgiven(plan)]
        self._past = [*forgiven, *self._past]  # of the history's failures; those in the past came after it
        for name, run in self._past:
            known = desk.plans.get(name)
            if known is not None and run is not None:
                desk.outcomes.count(known, run, RunState(run.progress.state))
            elif known is not None:
                known.breaker = NOTHING_WRONG
        for plan in desk.plans.values():
            cursors.keep(desk, plan)
        for name in {*self._begun, *(name for name, _ in self._past)} & desk.plans.keys():
            desk.outcomes.write_state(desk.plans[name])
        for name in {name for name, run in self._past if run is None} & desk.plans.keys():
            desk.writer.schedule_state(name, streak=desk.plans[name].breaker.streak)

    def _restore(self, plan: Plan, row: dict[str, Any] | None, wall: float, decode: Callable[[str], Any]) -> None:
        cycle, recent = plan.cycle, plan.recent
        plan.breaker, plan.accepted, plan.recent = NOTHING_WRONG, None, ()
        plan.total = plan.succeeded = plan.failed = 0
        if row is not None:
            plan.restore(row, decode)
            plan.last_at = min(plan.last_at, wall)
            plan.cycle = max(cycle, plan.cycle + self._begun.get(plan.id, 0))  # a run that goes on knew it
        plan.recent = (*plan.recent, *recent)[-RECENT:]

    def _pass_gap(self, desk: Desk, plan: Plan, loaded: Loaded, wall: float) -> None:
        """What was due after its predecessor's last decision, and before its own first one."""
        cursors.pass_gaps(desk, plan, loaded, wall)
        if (first := self._cursors.get(plan.id)) is not None:
            # A clock that was set back since, and by much, has taken it along.
            cursors.pass_gap(desk, plan, loaded, min(first, plan.cursor), wall)
