"""What is taken out again: by age and by number, failures later, and never what is not over.

Done in small steps, each a short transaction of its own, so that no claim waits for a big one.
"""

from __future__ import annotations

from supervisor.model.run import BAD, LIVE, RunState
from supervisor.store.rows import AFTER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from collections.abc import Callable
    from typing import Any

    Step = Callable[[Connection], bool]

RUNS_A_STEP = 100
SLOTS_A_STEP = 500
SCHEDULES_A_STEP = 20
PAGES_A_STEP = 128
SPARE_PAGES = 256  # so much free room in the file is left for what comes next

# A lost run is no failure of the program, but it is what a person will look for.
KEPT_LONGER = (*(state.value for state in BAD), RunState.LOST.value)
KEPT_SHORTER = tuple(s.value for s in RunState if s not in LIVE and s.value not in KEPT_LONGER)


class Pruner:
    """One whole round; `step` until that says False."""

    def __init__(self, policy: dict[str, Any], wall: float) -> None:
        """`keep_days`, `keep_failed_days`: age; `keep_runs`: newest of a schedule, of each kind. 0: no such limit."""
        self.policy = policy
        self._keep = int(policy.get("keep_runs") or 0)
        self._before = _cutoff(wall, policy.get("keep_days"))
        self._failed_before = _cutoff(wall, policy.get("keep_failed_days"))
        self._after = ""  # the schedule that was looked at last
        self._before_first = ""  # and the one before those of this step
        self._excess: list[tuple[str, tuple[str, ...], tuple[int, int]]] = []
        self._steps: list[Step] = [self._old, self._many, self._slots, self._shrink]

    def step(self, db: Connection) -> bool:
        """A bit of it; False: that was all. Raises what SQLite raises, with nothing half done."""
        if not self._steps:
            return False
        db.execute("BEGIN IMMEDIATE")
        over = not self._steps[0](db)
        db.execute("COMMIT")
        if over:
            self._steps.pop(0)
            self._after = ""
        return bool(self._steps)

    # runs

    def _old(self, db: Connection) -> bool:
        for states, before in ((KEPT_SHORTER, self._before), (KEPT_LONGER, self._failed_before)):
            for state in states if before else ():
                found = db.execute(
                    "SELECT id FROM runs WHERE state = ? AND claimed < ? LIMIT ?", (state, before, RUNS_A_STEP)
                ).fetchall()
                if found:
                    _remove(db, found)
                    return True
        return False

    def _many(self, db: Connection) -> bool:
        """Beyond the newest of a schedule, successes and failures counted apart."""
        if not self._keep:
            return False
        if not self._excess:
            names = self._next_schedules(db, "runs")
            for name in names:
                for states in (KEPT_SHORTER, KEPT_LONGER):
                    last = db.execute(
                        f"SELECT claimed, rowid FROM runs WHERE schedule = ? AND +state IN ({_marks(states)})"
                        " ORDER BY claimed DESC, rowid DESC LIMIT 1 OFFSET ?",
                        (name, *states, self._keep),
                    ).fetchone()
                    if last is not None:
                        self._excess.append((name, states, last))
            return bool(names)
        left = RUNS_A_STEP
        while self._excess and left > 0:
            name, states, (claimed, rowid) = self._excess[0]
            found = db.execute(
                f"SELECT id FROM runs WHERE schedule = ? AND +state IN ({_marks(states)})"
                " AND (claimed, rowid) <= (?, ?) LIMIT ?",
                (name, *states, claimed, rowid, left),
            ).fetchall()
            _remove(db, found)
            if len(found) < left:
                self._excess.pop(0)
            left -= max(len(found), 1)
        return True

    # slots

    def _slots(self, db: Connection) -> bool:
        """As old, or as many, as runs may be; not those of a run that is there, nor the newest, also of a time."""
        names = self._next_schedules(db, "slots", SCHEDULES_A_STEP)
        left = SLOTS_A_STEP
        for name in names:
            before = self._first_kept(db, name)
            gone = db.execute(
                "DELETE FROM slots WHERE schedule = ?1 AND nominal IN (SELECT nominal FROM slots WHERE schedule = ?1"
                " AND nominal < ?2 AND nominal_to < ?2"
                " AND nominal < (SELECT max(nominal) FROM slots WHERE schedule = ?1) AND nominal IS NOT ?4"
                " AND (run IS NULL OR NOT EXISTS (SELECT 1 FROM runs WHERE id = slots.run)) ORDER BY nominal LIMIT ?3)",
                (name, before, left, self._last_of_a_time(db, name)),
            ).rowcount
            left -= max(gone, 0)
            if left <= 0:
                self._after = names[names.index(name) - 1] if names.index(name) else self._before_first
                return True
        return bool(names)

    def _last_of_a_time(self, db: Connection, schedule: str) -> int | None:
        """That is no end of another schedule: a scheduler that starts goes on behind it."""
        row = db.execute(
            "SELECT nominal FROM slots WHERE schedule = ? AND (note IS NULL OR instr(note, ?) = 0)"
            " ORDER BY nominal DESC LIMIT 1",
            (schedule, AFTER),
        ).fetchone()
        return None if row is None else int(row[0])

    def _first_kept(self, db: Connection, schedule: str) -> int:
        """Nominal seconds: what is earlier may go."""
        before = self._before // 1000
        if self._keep:
            row = db.execute(
                "SELECT nominal FROM slots WHERE schedule = ? ORDER BY nominal DESC LIMIT 1 OFFSET ?",
                (schedule, self._keep - 1),
            ).fetchone()
            if row is not None:
                before = max(before, row[0])
        return int(before)

    def _next_schedules(self, db: Connection, table: str, limit: int = SCHEDULES_A_STEP) -> list[str]:
        """The next ones in the order of their names: a jump in the index for each."""
        names: list[str] = []
        self._before_first = self._after
        while len(names) < limit:
            statement = f"SELECT schedule FROM {table} WHERE schedule > ? ORDER BY schedule LIMIT 1"
            row = db.execute(statement, (self._after,)).fetchone()
            if row is None:
                break
            names.append(row[0])
            self._after = row[0]
        return names

    # the file

    def _shrink(self, db: Connection) -> bool:
        """Give room back to the disk, but not what will be needed again at once."""
        free = int(db.execute("PRAGMA freelist_count").fetchone()[0])
        if free <= SPARE_PAGES:
            return False
        db.execute(f"PRAGMA incremental_vacuum({min(PAGES_A_STEP, free - SPARE_PAGES)})").fetchall()
        return int(db.execute("PRAGMA freelist_count").fetchone()[0]) < free


def _cutoff(wall: float, days: Any) -> int:
    """Milliseconds; 0: nothing is too old."""
    return int((wall - float(days) * 86_400) * 1000) if days else 0


def _marks(states: tuple[str, ...]) -> str:
    return ",".join("?" * len(states))


def _remove(db: Connection, found: list[tuple[str]]) -> None:
    for row in found:
        db.execute("DELETE FROM steps WHERE run = ?", row)
        db.execute("DELETE FROM runs WHERE id = ?", row)
