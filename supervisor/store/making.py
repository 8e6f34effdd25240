"""From what the loop hands over to plain values: an unknown column or a strange value never stops a write."""

from __future__ import annotations

from supervisor.store import rows
from supervisor.store.rows import UnknownColumn, clean
from supervisor.store.writes import BLIND, CHANGE, CLAIM, CUT, END, RELEASE, SKIP, STATE, STEP, Write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.clock import Clock
    from supervisor.store.rows import RunRow, SlotRow, StepRow, Value, Values
    from supervisor.store.writes import Done

    Before = Callable[[str, Value, int], int | None]  # of schedule, revision and slot: the slot before


RUN_ROW_TEXTS = rows.RUN_TEXTS | {"id"}


class Maker:
    """Makes writes, and fills in the time."""

    __slots__ = ("_clock", "_report", "before")

    def __init__(self, clock: Clock, report: Callable[[BaseException], None]) -> None:
        self.before: Before = _nobody_knows
        self._clock = clock
        self._report = report

    def claim(self, slots: list[SlotRow], run: RunRow | None, done: Done) -> Write:
        if run is None:
            return Write(CLAIM, "", None, self._slots(slots, None), done)
        values = self._clean(run.values, rows.RUN_NUMBERS, RUN_ROW_TEXTS)
        if values.get("claimed") is None:
            values["claimed"] = self.now()
        # Nothing is what is there anyway; here it is left out while nobody waits for it yet.
        return Write(CLAIM, run.id, _without_nothing(values), self._slots(slots, run.id), done)

    def skip(self, slots: list[SlotRow], *, own: bool = False) -> Write:
        """`own`: each is to have a row of its own, at the next second where its own is taken."""
        skipped = self._slots(slots, None)
        if own:
            return Write(SKIP, "", {"own": 1}, skipped)
        return Write(SKIP, "", self._follows(skipped), skipped)

    def _follows(self, skipped: tuple[Values, ...]) -> Values | None:
        """Of one slot, the slot before it: if that was skipped for the same reason, both go into one row."""
        nominal = skipped[0]["nominal"] if len(skipped) == 1 else None
        if not isinstance(nominal, int) or nominal != skipped[0]["nominal_to"]:
            return None
        before = self.before(str(skipped[0]["schedule"]), skipped[0].get("revision"), nominal)
        return None if before is None else {"follows": before}

    def release(self, run_id: str, fields: dict[str, Any], of: tuple[str, Value, int] | None = None) -> Write:
        """`of`: schedule, revision and slot, where it may go into the row before it."""
        values = self._clean({"decided": self.now(), **fields}, rows.SLOT_NUMBERS, rows.SLOT_TEXTS)
        before = None if of is None else self.before(*of)
        return Write(RELEASE, run_id, values if before is None else {**values, "follows": before})

    def cut(self, until: int) -> Write:
        return Write(CUT, "", {"until": until})

    def blind(self, since: int) -> Write:
        return Write(BLIND, "", {"since": since})

    def change(self, run_id: str, fields: dict[str, Any]) -> Write:
        return Write(CHANGE, run_id, self._run(run_id, fields))

    def end(self, run_id: str, fields: dict[str, Any], done: Done | None) -> Write:
        values = self._run(run_id, fields)
        if values.get("ended") is None:
            values["ended"] = self.now()
        return Write(END, run_id, values, done=done)

    def step(self, row: StepRow) -> Write:
        return Write(STEP, str(row.values["run"]), self._clean(row.values, rows.STEP_NUMBERS, rows.STEP_TEXTS))

    def state(self, schedule: str, fields: dict[str, Any]) -> Write:
        values = self._clean(fields, rows.SCHEDULE_NUMBERS, rows.SCHEDULE_TEXTS)
        return Write(STATE, schedule, {"id": schedule, **values})

    def now(self) -> int:
        return int(self._clock.wall() * 1000)

    def _run(self, run_id: str, fields: dict[str, Any]) -> Values:
        values = self._clean(fields, rows.RUN_NUMBERS, rows.RUN_TEXTS)
        if values.get("claimed") is None:
            values["claimed"] = self.now()  # of a row that is not there yet; else it stays what it was
        return {"id": run_id, **values}

    def _slots(self, slots: list[SlotRow], run_id: str | None) -> tuple[Values, ...]:
        found = []
        for slot in slots:
            values = self._clean(slot.values, rows.SLOT_NUMBERS, rows.SLOT_TEXTS)
            if values["decided"] is None:
                values["decided"] = self.now()
            if values["outcome"] == "claimed" and values["run"] is None:
                values["run"] = run_id
            found.append(_without_nothing(values))
        return tuple(found)

    def _clean(self, given: dict[str, Any], numbers: frozenset[str], texts: frozenset[str]) -> Values:
        try:
            return clean(given, numbers, texts)
        except UnknownColumn as error:
            self._report(error)
            known = {name: value for name, value in given.items() if name in numbers or name in texts}
            return clean(known, numbers, texts)


def _nobody_knows(_schedule: str, _revision: Value, _nominal: int) -> int | None:
    return None


def _without_nothing(values: Values) -> Values:
    return {name: value for name, value in values.items() if value is not None}
