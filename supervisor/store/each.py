"""Writes one by one: what can't be carried out for what stands in it is left out, and the others don't pay for it."""

from __future__ import annotations

from supervisor.store.database import is_ours
from supervisor.store.trouble import Trouble
from supervisor.store.writes import apply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from collections.abc import Iterable

    from supervisor.store.writes import Write


def apply_each(db: Connection, batch: Iterable[Write]) -> tuple[list[bool | None], list[Exception]]:
    """What each answers, None: it can't be written at all; and why not. Raises what is the file's trouble."""
    answers: list[bool | None] = []
    errors: list[Exception] = []
    for write in batch:
        db.execute("SAVEPOINT one")
        try:
            answers.append(apply(db, write))
        except Exception as error:
            if is_trouble(error):
                raise
            db.execute("ROLLBACK TO one")
            errors.append(error)
            answers.append(None)
        db.execute("RELEASE one")
    return answers, errors


def is_trouble(error: Exception) -> bool:
    """The file's or the machine's, and no fault of what is written, like a KeyError or a number beyond 64 bits."""
    return isinstance(error, MemoryError | OSError | Trouble) or is_ours(error)
