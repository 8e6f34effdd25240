"""One question to the file, by somebody who only reads: what it answers, or what is the matter in words."""

from __future__ import annotations

import _sqlite3
import time

from supervisor.base import jsons
from supervisor.base.errors import NO_PERMISSION, Problem
from supervisor.store import schema
from supervisor.store.database import check_version, open_reader, trouble_of
from supervisor.store.rows import JSON_COLUMNS
from supervisor.store.trouble import BUSY, CORRUPT, FOREIGN, NEWER, Trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")

MS_COLUMNS = frozenset(("due", "claimed", "started", "ended", "decided", "until", "last_at", "breaker_until"))
S_COLUMNS = frozenset(("nominal", "nominal_to", "cursor"))

REMEDIES = {
    BUSY: "try it again; fuser -v FILE shows who has it open",
    CORRUPT: "a running scheduler sets it aside and begins a new one with its next write; or: sbctl restore",
    NEWER: "use the newer sbctl, or move the file away",
    FOREIGN: "move it away: the scheduler then begins its own",
}


def ask(path: str, question: Callable[[Connection], T], nothing: T) -> T:
    """`nothing` where there is no history yet. Raises Problem."""
    try:
        db = open_reader(path)
    except FileNotFoundError:
        return nothing
    except OSError as error:
        raise Problem(
            "the history can't be read",
            why=f"{path}: {error.strerror}",
            remedy="ask as the user that sbctl runs as, or as root",
            code=NO_PERMISSION,
        ) from None
    except (_sqlite3.Error, Trouble) as error:
        raise problem(path, error) from None
    try:
        db.execute("BEGIN")  # one state of it: its tables may be made between two of these questions
        known = schema.version_of(db)
        check_version(*known)
        if known[1] == 0:
            return nothing  # its tables are about to be made
        return question(db)
    except (_sqlite3.Error, Trouble) as error:
        raise problem(path, error) from None
    finally:
        db.close()


def problem(path: str, error: _sqlite3.Error | Trouble) -> Problem:
    trouble = error if isinstance(error, Trouble) else trouble_of(error)
    remedy = REMEDIES.get(trouble.kind, "see whether its folder and its disk are there and can be read")
    return Problem("the history can't be read", why=f"{path}: {trouble.text}", remedy=remedy.replace("FILE", path))


def rows(db: Connection, statement: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
    """As people and programs see them: ISO times, JSON as what it is."""
    cursor = db.execute(statement, values)
    names = [column[0] for column in cursor.description]
    return [{name: _shown(name, value) for name, value in zip(names, row, strict=True)} for row in cursor]


def _shown(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in MS_COLUMNS:
        return iso_ms(value)
    if name in S_COLUMNS:
        return iso_ms(value * 1000)
    if name in JSON_COLUMNS:
        try:
            return jsons.loads(value)
        except ValueError:
            return value
    return value


def iso_ms(ms: int) -> str:
    """`2026-11-21T05:20:01.123Z` of milliseconds since 1970, to the last digit."""
    whole, millis = divmod(ms, 1000)
    try:
        t = time.gmtime(whole)
    except (OverflowError, OSError, ValueError):  # no date that anybody has
        return str(ms)
    return f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d}T{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}.{millis:03d}Z"
