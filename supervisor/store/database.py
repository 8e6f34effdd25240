"""Opening the file, and what its errors mean. The writer's thread and all readers come through here.

`_sqlite3` is the C part of `sqlite3`: the same classes without the 0.5 MiB and 3 ms of the module around it.
Nobody in the writer's process may open the file by other means: closing such a descriptor would drop SQLite's locks.
"""

from __future__ import annotations

import _sqlite3
import errno
import os
import stat
import time

from supervisor.base.files import remove_quietly, sync_folder
from supervisor.store import schema
from supervisor.store.trouble import BUSY, CORRUPT, DISK, FOREIGN, FULL, MOVED, NEWER, READ_ONLY, UNWRITABLE, Trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection

    Marks = tuple[tuple[int, int], ...]

MODE = 0o640
BESIDE = ("-wal", "-shm")
READER_WAIT_S = 0.25
LOOKED_OVER_BYTES = 8 << 20  # some 30,000 runs; takes 7 ms a MiB

WRITER = (
    "PRAGMA synchronous = FULL",  # a claim must survive a power cut: docs/decisions/0013-*.md
    "PRAGMA foreign_keys = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -512",
    "PRAGMA journal_size_limit = 4194304",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)
READER = ("PRAGMA query_only = ON", "PRAGMA temp_store = MEMORY", "PRAGMA trusted_schema = OFF")


def open_writer(path: str, wall: float) -> Connection:
    """A connection that may write, to tables of our version; a file that is missing is made. Raises Trouble."""
    try:
        create(path, wall)
        db = _connect(path, "rw", 0.0)
    except OSError as error:
        raise trouble_of_os(error) from None
    except _sqlite3.Error as error:
        raise trouble_of(error) from None
    try:
        _prepare(db)
    except _sqlite3.Error as error:
        db.close()
        raise trouble_of(error) from None
    except BaseException:
        db.close()
        raise
    return db


def create(path: str, wall: float) -> None:
    """Make an empty file of the right mode, which SQLite gives to those beside it as well."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        folder = os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        set_aside(path, "left", wall)  # what is beside a file that is gone must not be taken for the new one's
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
        os.fchmod(fd, MODE)  # whatever the umask said
        os.close(fd)
        sync_folder(folder)
        return
    if not stat.S_ISREG(found.st_mode):
        raise Trouble(UNWRITABLE, "it is not a file")


def _connect(path: str, mode: str, wait_s: float, more: str = "") -> Connection:
    name = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return _sqlite3.connect(
        f"file:{name}?mode={mode}{more}", timeout=wait_s, isolation_level=None, cached_statements=64, uri=True
    )


def _prepare(db: Connection) -> None:
    known = schema.version_of(db)
    check_version(*known)
    if not known[1]:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table, or never
    db.execute("PRAGMA journal_mode = WAL").fetchone()  # where that can't be, readers may have to wait
    for pragma in WRITER:
        db.execute(pragma)
    if known[1] < schema.VERSION or known[0] != schema.APPLICATION_ID:
        schema.migrate(db)


def look_over(db: Connection, path: str) -> None:
    """Raises Trouble for a damaged file. Some damage shows only when rows are removed, weeks later: a small file is
    read as a whole at each start; for a large one claims would wait too long."""
    if os.stat(path).st_size > LOOKED_OVER_BYTES:
        return
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    db.execute("PRAGMA shrink_memory")  # it has all been in the cache
    if found != "ok":
        raise Trouble(CORRUPT, "it is damaged")


def check_version(application: int, version: int, has_tables: bool) -> None:
    """Raises Trouble for a file that is not ours to change."""
    if schema.is_foreign(application, version, has_tables):
        raise Trouble(FOREIGN, "it is the database of another program")
    if version > schema.VERSION:
        raise Trouble(NEWER, f"it is of a newer version of sbctl (tables {version}, this one knows {schema.VERSION})")


def open_reader(path: str, wait_s: float = READER_WAIT_S) -> Connection:
    """A connection that can't write. Raises _sqlite3.Error, or FileNotFoundError.

    Without a writer there may be no -shm; who may not make one either still gets what is in the file.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise Trouble(UNWRITABLE, "it is not a file")
    db = _connect(path, "ro", wait_s)
    try:
        _begin_reading(db)
    except _sqlite3.OperationalError as error:
        db.close()
        if not _lacks_shm(error) or os.path.exists(path + "-wal"):
            raise
        db = _connect(path, "ro", wait_s, "&immutable=1")
        _begin_reading(db)
    except BaseException:
        db.close()
        raise
    return db


def _begin_reading(db: Connection) -> None:
    for pragma in READER:
        db.execute(pragma)
    db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()


def _lacks_shm(error: _sqlite3.Error) -> bool:
    return primary(error) in (_sqlite3.SQLITE_CANTOPEN, _sqlite3.SQLITE_READONLY)


# errors


def primary(error: BaseException) -> int:
    """SQLite's number for it, without the details; 0: it is not from SQLite."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def is_ours(error: BaseException) -> bool:
    """Is it the world's doing (disk, locks, another hand), and not a defect of ours?"""
    return primary(error) in _KINDS or getattr(error, "sqlite_errorcode", 0) in _DETAILED


def trouble_of(error: _sqlite3.Error) -> Trouble:
    code = int(getattr(error, "sqlite_errorcode", 0) or 0)
    kind, text = _DETAILED.get(code) or _KINDS.get(code & 0xFF) or (DISK, str(error))
    return Trouble(kind, text)


def trouble_of_os(error: OSError) -> Trouble:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Trouble(FULL, _FULL)
    if error.errno == errno.EROFS:
        return Trouble(READ_ONLY, "the file system is read-only")
    return Trouble(UNWRITABLE, f"{error.strerror}: {error.filename}" if error.filename else str(error))


_FULL = "the disk is full"
_KINDS = {
    _sqlite3.SQLITE_BUSY: (BUSY, "another program holds a lock on it"),
    _sqlite3.SQLITE_LOCKED: (BUSY, "another program holds a lock on it"),
    _sqlite3.SQLITE_PROTOCOL: (BUSY, "another program holds a lock on it"),
    _sqlite3.SQLITE_FULL: (FULL, _FULL),
    _sqlite3.SQLITE_READONLY: (READ_ONLY, "it is read-only"),
    _sqlite3.SQLITE_PERM: (UNWRITABLE, "access is denied"),
    _sqlite3.SQLITE_AUTH: (UNWRITABLE, "access is denied"),
    _sqlite3.SQLITE_CANTOPEN: (UNWRITABLE, "it can't be opened"),
    _sqlite3.SQLITE_CORRUPT: (CORRUPT, "it is damaged"),
    _sqlite3.SQLITE_NOTADB: (CORRUPT, "it is not a database"),
    _sqlite3.SQLITE_IOERR: (DISK, "its disk can't be read or written"),
    _sqlite3.SQLITE_NOMEM: (DISK, "there is no memory left"),
}
_DETAILED = {
    _sqlite3.SQLITE_IOERR_SHMSIZE: (FULL, _FULL),
    _sqlite3.SQLITE_READONLY_DBMOVED: (MOVED, "it was moved away"),
}


# the files


def marks(path: str) -> Marks:
    """Device and inode of the file and of those beside it; zeros for what is not there."""
    found = []
    for name in (path, *(path + end for end in BESIDE)):
        try:
            it = os.stat(name)
        except OSError:
            found.append((0, 0))
        else:
            found.append((it.st_dev, it.st_ino))
    return tuple(found)


def set_aside(path: str, word: str, wall: float) -> str:
    """Rename the file, and those beside it, to `NAME.WORD-TIMESTAMP`; the new name, "" if there was nothing."""
    aside = free_name(path, word, wall)
    moved = False
    for end in (*BESIDE, ""):  # the file last: what is beside it alone means nothing
        if end == "-shm":
            remove_quietly(path + end)  # only an index of the other, made anew when it is needed
            continue
        try:
            os.rename(path + end, aside + end)
            moved = True
        except FileNotFoundError:
            continue
    return aside if moved else ""


def leave_beside(path: str, old: Marks, wall: float) -> None:
    """The file has gone, or another has its name: what lay beside it must not be taken for a part of that one."""
    aside = free_name(path, "left", wall)
    for end, was, now in zip(BESIDE, old[1:], marks(path)[1:], strict=True):
        if was == now != (0, 0):
            os.rename(path + end, aside + end)


def free_name(path: str, word: str, wall: float) -> str:
    """`NAME.WORD-TIMESTAMP`, or that with a number, which no file has."""
    base = f"{path}.{word}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(wall))}"
    name, number = base, 1
    while any(os.path.lexists(name + end) for end in ("", *BESIDE)):
        number += 1
        name = f"{base}-{number}"
    return name
