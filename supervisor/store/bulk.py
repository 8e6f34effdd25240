"""Many claims at once: the same rows as one by one, in statements of many rows, which is three times as quick.

Only the plain case is done here: each claims one slot of its own, and starts one run. All else goes one by one.
"""

from __future__ import annotations

from supervisor.store.writes import CLAIM, apply, is_of_an_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from collections.abc import Iterator

    from supervisor.store.rows import Value, Values
    from supervisor.store.writes import Write

WORTH_IT = 8
MOST_VALUES = 900  # of one statement: 999 is the least that a SQLite may have been built for
_statements: dict[tuple[str, tuple[str, ...], int], str] = {}


def apply_all(db: Connection, batch: list[Write]) -> list[bool | None]:
    """In their order, within a transaction; what each answers."""
    answers: list[bool | None] = []
    for together in _stretches(batch):
        if len(together) >= WORTH_IT:
            answers += _claim_many(db, together)
        else:
            answers += [apply(db, write) for write in together]
    return answers


def _stretches(batch: list[Write]) -> Iterator[list[Write]]:
    """Plain claims that follow each other, of slots that are not among them twice; and each other write alone."""
    together: list[Write] = []
    slots: set[tuple[Value, Value]] = set()
    for write in batch:
        slot = _plain_slot(write)
        if together and (slot is None or slot in slots):
            yield together
            together, slots = [], set()
        if slot is None:
            yield [write]
        else:
            slots.add(slot)
            together.append(write)
    if together:
        yield together


def _plain_slot(write: Write) -> tuple[Value, Value] | None:
    if write.kind != CLAIM or write.values is None or len(write.slots) != 1:
        return None
    slot = write.slots[0]
    if slot["outcome"] != "claimed" or slot["nominal_to"] != slot["nominal"] or is_of_an_end(write):
        return None
    return slot["schedule"], slot["nominal"]


def _claim_many(db: Connection, claims: list[Write]) -> list[bool]:
    answers = []
    free: list[Write] = []
    held = _held(db, claims)
    for write in claims:
        if held and _plain_slot(write) in held:
            answers.append(apply(db, write))  # by itself, perhaps: tried before
        else:
            answers.append(True)
            free.append(write)
    _insert_many(db, "slots", [write.slots[0] for write in free])
    _insert_many(db, "runs", [write.values for write in free if write.values is not None])
    return answers


def _held(db: Connection, claims: list[Write]) -> set[tuple[Value, Value]]:
    """Those slots that lie in a row already; rows of a schedule never overlap, so the one before tells."""
    found: set[tuple[Value, Value]] = set()
    size = MOST_VALUES // 2
    for start in range(0, len(claims), size):
        part = claims[start : start + size]
        values: list[Value] = []
        for write in part:
            values += (write.slots[0]["schedule"], write.slots[0]["nominal"])
        found.update(db.execute(_question(len(part)), values))
    return found


def _question(count: int) -> str:
    return (
        f"WITH asked (schedule, nominal) AS (VALUES {','.join(['(?,?)'] * count)})"
        " SELECT schedule, nominal FROM asked WHERE nominal <= (SELECT nominal_to FROM slots"
        " WHERE slots.schedule = asked.schedule AND slots.nominal <= asked.nominal ORDER BY slots.nominal DESC LIMIT 1)"
    )


def _insert_many(db: Connection, table: str, rows: list[Values]) -> None:
    """Those with the same columns go together."""
    by_columns: dict[tuple[str, ...], list[Values]] = {}
    for row in rows:
        by_columns.setdefault(tuple(row), []).append(row)
    for names, alike in by_columns.items():
        size = MOST_VALUES // len(names)
        for start in range(0, len(alike), size):
            part = alike[start : start + size]
            values: list[Value] = []
            for row in part:
                values += row.values()
            db.execute(_statement(table, names, len(part)), values)


def _statement(table: str, names: tuple[str, ...], count: int) -> str:
    key = (table, names, count)
    statement = _statements.get(key)
    if statement is None:
        marks = ",".join([f"({','.join('?' * len(names))})"] * count)
        statement = f"INSERT OR IGNORE INTO {table} ({','.join(names)}) VALUES {marks}"
        if len(_statements) < 100:  # the last part of a batch may have any length
            _statements[key] = statement
    return statement
