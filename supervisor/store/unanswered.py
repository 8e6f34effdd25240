"""The writes that need no answer: each becomes one that waits its turn."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.store.making import Before, Maker
    from supervisor.store.rows import SlotRow, StepRow, Value
    from supervisor.store.writes import Write


class Rows:
    """The part of a writer that knows rows, and nothing of when they are written."""

    def __init__(self, make: Maker, add: Callable[[Write], None]) -> None:
        self._make = make
        self._add = add

    def ask_before(self, before: Before) -> None:
        """Who knows the rules says which slot comes just before another: only such two may share a row."""
        self._make.before = before

    def skip(self, slots: list[SlotRow], *, own: bool = False) -> None:
        """Slots, or stretches of them, that do not run. `own`: each has a row of its own (see making.py)."""
        if slots:
            self._add(self._make.skip(slots, own=own))

    def release(
        self, run_id: str, reason: str, *, until: int | None = None, note: str | None = None,
        of: tuple[str, Value, int] | None = None,
    ) -> None:  # fmt: skip
        """A run that was claimed and does not begin after all: its slot is skipped, and there is no such run."""
        self._add(self._make.release(run_id, {"reason": reason, "until": until, "note": note}, of))

    def cut(self, until: int) -> None:
        """After a clock that was ahead: what was skipped later than this (seconds) may come again."""
        self._add(self._make.cut(until))

    def blind(self, since: int) -> None:
        """Slots up to then (seconds) are decided by nobody, if a predecessor has not: what was could not be read."""
        self._add(self._make.blind(since))

    def run_started(self, run_id: str, **fields: Any) -> None:
        self.run_changed(run_id, **{"state": "running", "started": self._make.now(), **fields})

    def run_changed(self, run_id: str, **fields: Any) -> None:
        """Other values of a run; one that is not there yet (its claim was refused) comes to be."""
        self._add(self._make.change(run_id, fields))

    def run_ended(self, run_id: str, fields: dict[str, Any], done: Callable[[bool], None] | None = None) -> None:
        """Its end, with a `state` that is one; it counts for its schedule, once. `done(False)`: it was dropped."""
        self._add(self._make.end(run_id, fields, done))

    def step_started(self, row: StepRow) -> None:
        self._add(self._make.step(row))

    step_ended = step_started

    def schedule_state(self, id: str, **fields: Any) -> None:
        """Columns of `schedules`; what waits for the same schedule is joined with it."""
        self._add(self._make.state(id, fields))
