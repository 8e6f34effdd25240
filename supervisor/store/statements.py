"""The statements that rows are written with, each made once."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from typing import Any

    from supervisor.store.rows import Values

_statements: dict[tuple[str, tuple[str, ...]], str] = {}


def insert(db: Connection, table: str, values: Values, how: str) -> None:
    given = {name: value for name, value in values.items() if value is not None}
    names = tuple(given)
    key = (table + how, names)
    statement = _statements.get(key)
    if statement is None:
        marks = ",".join("?" * len(names))
        statement = _statements[key] = f"INSERT {how} INTO {table} ({','.join(names)}) VALUES ({marks})"
    db.execute(statement, tuple(given.values()))


def upsert(table: str, keys: tuple[str, ...], names: tuple[str, ...]) -> str:
    """Of a run that has ended the state stays; nothing may make it live again."""
    statement = _statements.get((table, names))
    if statement is None:
        changes = [_assignment(table, name) for name in names if name not in keys and name not in _FIRST.get(table, ())]
        what = f"DO UPDATE SET {', '.join(changes)}" if changes else "DO NOTHING"
        statement = _statements[table, names] = (
            f"INSERT INTO {table} ({','.join(names)}) VALUES ({','.join('?' * len(names))})"
            f" ON CONFLICT ({','.join(keys)}) {what}"
        )
    return statement


_FIRST = {"runs": ("claimed",)}  # only of a row that is not there yet


def _assignment(table: str, name: str) -> str:
    if table == "runs" and name == "state":
        return "state = CASE WHEN runs.ended IS NULL THEN excluded.state ELSE runs.state END"
    return f"{name} = excluded.{name}"


def rows_as_dicts(db: Connection, statement: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
    """What a query answers, by column."""
    cursor = db.execute(statement, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
