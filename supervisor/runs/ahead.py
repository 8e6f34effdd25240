"""Runs that begin in a moment are laid out beforehand: their folder, their log, how their first step is launched.

To make two files takes longer than to decide on a slot and to ask for its process, and when many are due at once the
machine has nothing to spare. So it is done while nobody waits, for those whose gates are open as far as one can see.
A run that does not begin after all leaves nothing: what was made for it is removed a little later, and with a scheduler
that is killed meanwhile by the daily tidying, as the history does not know it.
"""

from __future__ import annotations

from collections import deque

from supervisor.core.gates import first_held
from supervisor.runs.layout import Layout
from supervisor.runs.step import log_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.runs.desk import Desk
    from supervisor.runs.ready import Ready
    from supervisor.runs.run import Run

SLICE_S = 0.002  # at a time, so that the loop stays awake for others
QUIET_S = 0.03  # so long before the moment nothing more is laid out: who is due in it must not wait
KEPT_S = 3.0  # after the moment: longer than a claim takes


class Ahead:
    """Of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._wanted: deque[Ready] = deque()
        self._made: deque[tuple[float, Run]] = deque()  # and until when it is kept
        self._goes = False
        self._is_watched = False

    def want(self, ready: Ready) -> None:
        if ready.slot is None:
            return
        self._wanted.append(ready)
        if not self._goes:
            self._goes = True
            self._desk.loop.soon(self._go)

    def _go(self) -> None:
        self._goes = False
        if not self._desk.stopping:
            self._desk.pauses.look_once_for(self._some)
        if self._wanted:
            self._goes = True
            self._desk.loop.soon(self._go)

    def _some(self) -> None:
        clock = self._desk.loop.clock
        until = clock.now() + SLICE_S
        while self._wanted and clock.now() < until:
            ready = self._wanted.popleft()
            if clock.wall() < ready.wake - QUIET_S:
                self._desk.loop.guard(self._lay_out, ready)

    def _lay_out(self, ready: Ready) -> None:
        desk, slot, plan = self._desk, ready.slot, ready.plan
        run = slot.run if slot is not None else None
        if slot is None or run is None or plan.stamp != ready.stamp:
            return
        policy, commands = plan.schedule.policy, desk.catalogue.commands.get(plan.schedule.plugin, {})
        standing = desk.admission.standing(plan, ready.wake + plan.rule.grace, ask=False, now=ready.wake)
        if run.progress.step not in commands or first_held(policy, standing, ready.wake) is not None:
            return
        run.log = log_of(desk.home, run)
        desk.runner.laid_out[run.id] = Layout(desk.home, run, commands, policy, desk.runner.folders)
        self._made.append((desk.loop.clock.now() + ready.wake - desk.loop.clock.wall() + KEPT_S, run))
        self._watch()

    # what did not begin

    def _watch(self) -> None:
        if not self._is_watched and self._made:
            self._is_watched = True
            self._desk.loop.at(self._made[-1][0], self._look)

    def _look(self) -> None:
        self._is_watched = False
        now = self._desk.loop.clock.now()
        while self._made and self._made[0][0] <= now:
            self._undo(self._made.popleft()[1])
        self._watch()

    def undo_all(self) -> None:
        """Nothing begins any more."""
        self._wanted.clear()
        while self._made:
            self._undo(self._made.popleft()[1])

    def _undo(self, run: Run) -> None:
        layout = self._desk.runner.laid_out.pop(run.id, None)
        if layout is not None:
            layout.undo(run)
