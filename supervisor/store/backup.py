"""A copy of the history, its check, and the way back. The copy is whole also while the scheduler writes."""

from __future__ import annotations

import _sqlite3
import os

from supervisor.base.clock import SystemClock
from supervisor.base.errors import NO_PERMISSION, Problem
from supervisor.base.files import remove_quietly, sync_folder
from supervisor.store import schema
from supervisor.store.asking import problem
from supervisor.store.database import MODE, check_version, free_name, open_reader, open_writer, set_aside
from supervisor.store.trouble import Trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection

LOCK_WAIT_S = 5.0
LOCK_TRIES = 50
MAX_FINDINGS = 20


def copy(path: str, target: str) -> bool:
    """One file that holds all of it as of one moment, on the disk when this returns. False: there is no history."""
    folder, name = os.path.split(os.path.abspath(target))
    temp = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    remove_quietly(temp)
    try:
        db = open_reader(path, LOCK_WAIT_S)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _denied(path, error) from None
    except (_sqlite3.Error, Trouble) as error:
        raise problem(path, error) from None
    try:
        _vacuum_into(db, temp)
        os.rename(temp, target)
        sync_folder(folder)
    except _sqlite3.Error as error:
        remove_quietly(temp)
        raise problem(path, error) from None
    except OSError as error:
        remove_quietly(temp)
        raise _denied(target, error) from None
    finally:
        db.close()
    return True


def _vacuum_into(db: Connection, temp: str) -> None:
    """SQLite does not wait for the disk here, and gives no mode: we do."""
    db.execute("PRAGMA query_only = OFF")  # the connection can't write to the file itself in any case
    db.execute("VACUUM INTO ?", (temp,))
    fd = os.open(temp, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(fd, MODE)
        os.fsync(fd)
    finally:
        os.close(fd)


def check(path: str) -> list[str]:
    """What is wrong with a history or a copy of one; [] when it is whole and of a version that we know."""
    try:
        db = open_reader(path, LOCK_WAIT_S)
    except OSError as error:
        return [error.strerror or str(error)]
    except (_sqlite3.Error, Trouble) as error:
        return [problem(path, error).why]
    try:
        known = schema.version_of(db)
        check_version(*known)
        if known[1] == 0:
            return ["there are no tables in it"]
        found = db.execute(f"PRAGMA integrity_check({MAX_FINDINGS})").fetchall()
        return [row[0] for row in found if row[0] != "ok"]
    except (_sqlite3.Error, Trouble) as error:
        return [problem(path, error).why]
    finally:
        db.close()


def restore(source: str, path: str) -> str:
    """Put a checked copy in place of the history; the name under which the old one is kept, "" without one.

    It is written into the file as one transaction, so a kill leaves the old or the new, and whoever has it open
    (a scheduler that runs) goes on with the new one. A file that can't be written to makes way for another.
    """
    if findings := check(source):
        raise Problem(
            f"{source} is no history to go back to", why="; ".join(findings[:3]), remedy="choose another copy"
        )
    wall = SystemClock().wall()
    try:
        if not check(path):
            aside = free_name(path, "before", wall)
            copy(path, aside)
        else:
            aside = set_aside(path, "before", wall)
        db = open_writer(path, wall)
    except OSError as error:
        raise _denied(path, error) from None
    except Trouble as error:
        raise problem(path, error) from None
    try:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        _copy_into(source, db)
    except _sqlite3.Error as error:
        raise problem(path, error) from None
    finally:
        db.close()
    return aside


def _copy_into(source: str, db: Connection) -> None:
    tries = 0

    def look(status: int, _left: int, _total: int) -> None:
        nonlocal tries
        tries += 1
        if status in (_sqlite3.SQLITE_BUSY, _sqlite3.SQLITE_LOCKED) and tries > LOCK_TRIES:
            raise Problem(
                "the history can't be written", why="another program holds a lock on it", remedy="try it again"
            )

    copied = open_reader(source, LOCK_WAIT_S)
    try:
        copied.backup(db, pages=-1, progress=look, sleep=LOCK_WAIT_S / LOCK_TRIES)
    finally:
        copied.close()


def _denied(path: str, error: OSError) -> Problem:
    return Problem(f"{path} can't be written", why=error.strerror or str(error), code=NO_PERMISSION)
