"""What each write does to the tables. Every one of them may be done twice and has happened once.

That is what makes it safe to repeat a whole transaction of which nobody knows whether it got through.
"""

from __future__ import annotations

from supervisor.model.run import BAD, BY_HAND, LIVE, RunState, Skip, Trigger
from supervisor.store.rows import AFTER
from supervisor.store.statements import insert, rows_as_dicts, upsert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from collections.abc import Callable

    from supervisor.store.rows import Value, Values

    Done = Callable[[bool], None]

# Kinds of writes
CLAIM, SKIP, RELEASE, STATE, CHANGE, END, STEP = "claim", "skip", "release", "state", "change", "end", "step"
CUT = "cut"
BLIND = "blind"  # from here on by a scheduler that could not read what was

_BAD = frozenset(state.value for state in BAD)
_LIVE = frozenset(state.value for state in LIVE)
_BY_HAND = frozenset(trigger.value for trigger in BY_HAND)  # their failures say little about the schedule


class Write:
    """One of them, as it waits: plain values only, so nothing that the loop changes later can change it."""

    __slots__ = ("done", "key", "kind", "slots", "values")

    def __init__(
        self, kind: str, key: str, values: Values | None, slots: tuple[Values, ...] = (), done: Done | None = None
    ) -> None:
        self.kind = kind
        self.key = key  # id of the run or schedule
        self.values = values
        self.slots = slots
        self.done = done

    @property
    def second(self) -> int | None:
        """Of the slot that it claims: another one than was asked for, where that was taken by another end."""
        return _whole(self.slots[0]["nominal"]) if self.slots else None


def apply(db: Connection, write: Write) -> bool:
    """Do it, within a transaction; False: a slot of the claim was taken already."""
    return _APPLY[write.kind](db, write)


# slots


def _claim(db: Connection, write: Write) -> bool:
    if is_of_an_end(write) and not _move(db, write.slots[0]):
        return False
    if not write.slots and not _is_owed(db, write):
        return False
    for slot in write.slots:
        if slot["outcome"] == "claimed":
            holder = holder_of(db, str(slot["schedule"]), _whole(slot["nominal"]))
            if holder is not None:
                return holder[2] is not None and holder[2] == slot.get("run")  # by this very claim, tried before
    for slot in write.slots:
        if slot["outcome"] == "claimed" and slot["nominal_to"] == slot["nominal"]:
            insert(db, "slots", slot, "OR IGNORE")  # that it is free was seen just now
        else:
            _insert_slot(db, slot)
    if write.values is not None:
        if is_of_an_end(write):
            write.values["nominal"] = write.slots[0]["nominal"]
        insert(db, "runs", write.values, "OR IGNORE")
    return True


def _is_owed(db: Connection, write: Write) -> bool:
    """Of one that makes up for a slot: a pause has held that, and nothing was made up for it yet.

    Who asks goes by the rule of now and by the clock. But that may have been set back over what had run, and the
    schedule may have been disabled, or have had another rule, for a part of the pause.
    """
    values = write.values or {}
    schedule, nominal = values.get("schedule"), values.get("nominal")
    if values.get("trigger") != Trigger.CATCH_UP.value or schedule is None or nominal is None:
        return True
    # Of a range that another rule has made only its ends are slots for sure.
    held = (
        "SELECT 1 FROM slots WHERE schedule = ?1 AND ?2 BETWEEN nominal AND nominal_to AND outcome = 'skipped'"
        " AND reason = ?3 AND (?2 IN (nominal, nominal_to)"
        " OR revision IS (SELECT revision FROM schedules WHERE id = ?1)) AND nominal = ?4"
    )
    holder = holder_of(db, str(schedule), _whole(nominal))
    if holder is None or not db.execute(held, (schedule, nominal, Skip.PAUSED.value, holder[0])).fetchone():
        return False
    made_up = "SELECT id FROM runs WHERE schedule = ? AND nominal = ? AND trigger = ? AND state <> ?"
    of_it = (schedule, nominal, Trigger.CATCH_UP.value, RunState.CANCELLED.value)
    return all(id == write.key for (id,) in db.execute(made_up, of_it))


def is_of_an_end(write: Write) -> bool:
    """The one slot that it claims is the end of a run of another schedule."""
    return len(write.slots) == 1 and is_an_end(write.slots[0])


def is_an_end(slot: Values) -> bool:
    return str(slot.get("note") or "").startswith(AFTER)


def names_an_end(note: Value) -> bool:
    """Also of one that did not run, where the reason comes first."""
    text = str(note or "")
    return text.startswith(AFTER) or f"; {AFTER}" in text


def _move(db: Connection, slot: Values) -> bool:
    """To the first second that is free; False: that same end, which its note names, has been decided before.

    Two ends may come within one second, and none of them is lost for that.
    """
    schedule, second = str(slot["schedule"]), _whole(slot["nominal"])
    while (holder := holder_of(db, schedule, second)) is not None:
        if holder[2] is not None and holder[2] == slot.get("run"):
            break  # by this very claim, tried before
        if end_of(_note_of(db, schedule, holder[0])) == end_of(slot.get("note")):
            return False
        second = holder[1] + 1
    slot["nominal"] = slot["nominal_to"] = second
    return True


def end_of(note: Value) -> str:
    """Which one it names, whatever else it says: of one that did not run the reason comes first."""
    text = str(note or "")
    return text[text.rfind(AFTER) :] if AFTER in text else text


def _note_of(db: Connection, schedule: str, nominal: int) -> str | None:
    row = db.execute("SELECT note FROM slots WHERE schedule = ? AND nominal = ?", (schedule, nominal)).fetchone()
    return None if row is None else row[0]


def _skip(db: Connection, write: Write) -> bool:
    follows = (write.values or {}).get("follows")
    is_own = (write.values or {}).get("own")
    for slot in write.slots:
        if is_own and not _move(db, slot):
            continue
        if follows is None or not _lengthen(db, slot, follows):
            _insert_slot(db, slot)
    return True


def _lengthen(db: Connection, slot: Values, follows: Value) -> bool:
    """Let the row before it hold this slot too; False: that is not possible, or not needed.

    Only where that row reaches as far as the slot before this one. Else one lies between that is not decided yet, and
    whose claim would find its place taken. Of the newest slot are `due`, `until` and `decided`. Told again the slot
    lies in the row, and nothing is the row before it.
    """
    return bool(
        db.execute(
            "UPDATE slots SET nominal_to = ?2, count = count + 1, due = ?4, until = ?5, decided = ?6"
            " WHERE schedule = ?1 AND nominal = (SELECT max(nominal) FROM slots WHERE schedule = ?1 AND nominal <= ?2)"
            " AND nominal_to >= ?3 AND nominal_to < ?2"
            " AND outcome = 'skipped' AND reason IS ?7 AND revision IS ?8 AND note IS ?9",
            (
                slot["schedule"], slot["nominal"], follows, slot.get("due"), slot.get("until"), slot["decided"],
                slot.get("reason"), slot.get("revision"), slot.get("note"),
            ),
        ).rowcount
    )  # fmt: skip


def _release(db: Connection, write: Write) -> bool:
    """A run that was claimed and does not begin after all: its slots are skipped, and it never was."""
    values = dict(write.values or {})
    follows = values.pop("follows", None)
    claimed = rows_as_dicts(db, "SELECT * FROM slots WHERE run = ? AND outcome = 'claimed'", (write.key,))
    db.execute("DELETE FROM slots WHERE run = ? AND outcome = 'claimed'", (write.key,))
    for row in claimed:
        slot = {**row, "outcome": "skipped", "run": None, **values}
        if is_an_end(row):  # which it still is
            slot["note"] = f"{slot['note']}; {row['note']}"
        if follows is None or not _lengthen(db, slot, follows):
            insert(db, "slots", slot, "")
    db.execute("DELETE FROM runs WHERE id = ? AND ended IS NULL AND state IN ('queued', 'claimed')", (write.key,))
    return True


def _cut(db: Connection, write: Write) -> bool:
    """The clock was ahead, and is not any more: what was skipped of the time to come is open again."""
    until = (write.values or {})["until"]
    made_up = _made_up_for(db, until)
    db.execute("DELETE FROM slots WHERE nominal > ? AND outcome = 'skipped'", (until,))
    db.execute(
        "UPDATE slots SET nominal_to = ?1, count = NULL"
        " WHERE nominal <= ?1 AND nominal_to > ?1 AND outcome = 'skipped'",
        (until,),
    )
    for slot in made_up:
        insert(db, "slots", slot, "OR IGNORE")
    db.execute("UPDATE schedules SET cursor = ?1 WHERE cursor > ?1", (until,))
    return True


def _made_up_for(db: Connection, until: Value) -> list[Values]:
    """Rows of single slots that a pause has held, and for which something has run already."""
    of = "SELECT schedule, nominal FROM runs WHERE nominal > ? AND trigger = ? AND state <> ?"
    found: list[Values] = []
    for schedule, nominal in db.execute(of, (until, Trigger.CATCH_UP.value, RunState.CANCELLED.value)).fetchall():
        holder = holder_of(db, schedule, nominal)
        if holder is not None and holder[2] is None:
            [row] = rows_as_dicts(
                db,
                "SELECT * FROM slots WHERE schedule = ? AND nominal = ? AND outcome = 'skipped'",
                (schedule, holder[0]),
            )
            found.append({**row, "nominal": nominal, "nominal_to": nominal, "count": 1})
    return found


def holder_of(db: Connection, schedule: str, nominal: int) -> tuple[int, int, str | None] | None:
    """(nominal, nominal_to, run) of the row that this slot lies in. Rows of a schedule never overlap."""
    row: tuple[int, int, str | None] | None = db.execute(
        "SELECT nominal, nominal_to, run FROM slots WHERE schedule = ? AND nominal <= ? ORDER BY nominal DESC LIMIT 1",
        (schedule, nominal),
    ).fetchone()
    return row if row is not None and row[1] >= nominal else None


def _insert_slot(db: Connection, slot: Values) -> None:
    """A slot keeps its first outcome, and a range leaves out what was decided within it before."""
    schedule, first, last = str(slot["schedule"]), _whole(slot["nominal"]), _whole(slot["nominal_to"])
    for begin, end in _free(db, schedule, first, last):
        if (begin, end) != (first, last):  # whoever asks counts the slots of each part; here nobody knows them
            slot = {**slot, "nominal": begin, "nominal_to": end, "count": 1 if begin == end else None}
        insert(db, "slots", slot, "")


def _free(db: Connection, schedule: str, first: int, last: int) -> list[tuple[int, int]]:
    """Where no row is yet: behind the last one of a time, for times are decided in their order, and around ends."""
    found: list[tuple[int, int]] = []
    while last >= first:
        row = db.execute(
            "SELECT nominal, nominal_to, note FROM slots WHERE schedule = ? AND nominal <= ?"
            " ORDER BY nominal DESC LIMIT 1",
            (schedule, last),
        ).fetchone()
        begin = first if row is None else max(row[1] + 1, first)
        if begin <= last:
            found.append((begin, last))
        if row is None or not names_an_end(row[2]):
            break
        last = row[0] - 1
    return found[::-1]


def _whole(value: Value) -> int:
    return value if isinstance(value, int) else 0


# runs and steps


def _change(db: Connection, write: Write) -> bool:
    db.execute(upsert("runs", ("id",), tuple(write.values or ())), tuple((write.values or {}).values()))
    return True


def _end(db: Connection, write: Write) -> bool:
    """The end of a run, and what it means for its schedule: once, however often it is told."""
    row = db.execute("SELECT ended, schedule, started, state FROM runs WHERE id = ?", (write.key,)).fetchone()
    if row is not None and (row[0] is not None or row[3] not in _LIVE):
        return True
    _change(db, write)
    db.execute("UPDATE slots SET outcome = 'run' WHERE run = ? AND outcome = 'claimed'", (write.key,))
    schedule, started, ended, state, trigger = db.execute(
        "SELECT schedule, started, ended, state, trigger FROM runs WHERE id = ?", (write.key,)
    ).fetchone()
    db.execute(
        "UPDATE steps SET state = ?, ended = ? WHERE run = ? AND state = ?",
        (state, ended, write.key, RunState.RUNNING.value),  # nobody saw the end of it
    )
    if schedule is not None:
        took = None if started is None else max(ended - started, 0)
        _count(db, schedule, write.key, state, ended, took, by_hand=trigger in _BY_HAND)
    return True


def _count(db: Connection, schedule: str, run: str, state: str, ended: int, took: int | None, *, by_hand: bool) -> None:
    succeeded, failed = int(state == RunState.SUCCEEDED.value), int(state in _BAD)
    streak = int(failed and not by_hand)
    db.execute(
        "INSERT INTO schedules (id, total, succeeded, failed, streak, last_run, last_result, last_at, last_ms)"
        " VALUES (?1, 1, ?2, ?3, ?8, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET total = total + 1,"
        " succeeded = succeeded + ?2, failed = failed + ?3, streak = CASE WHEN ?2 THEN 0 ELSE streak + ?8 END,"
        " last_run = ?4, last_result = ?5, last_at = ?6, last_ms = ?7",
        (schedule, succeeded, failed, run, state, ended, took, streak),
    )


def _step(db: Connection, write: Write) -> bool:
    values = write.values or {}
    db.execute(upsert("steps", ("run", "number", "attempt"), tuple(values)), tuple(values.values()))
    return True


def _state(db: Connection, write: Write) -> bool:
    values = write.values or {}
    db.execute(upsert("schedules", ("id",), tuple(values)), tuple(values.values()))
    return True


_APPLY: dict[str, Callable[[Connection, Write], bool]] = {
    CLAIM: _claim, SKIP: _skip, RELEASE: _release, CHANGE: _change, END: _end, STEP: _step, STATE: _state, CUT: _cut,
    BLIND: lambda _db, _write: True,
}  # fmt: skip


KINDS = frozenset(_APPLY)
