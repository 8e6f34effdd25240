"""Which version the tables have, and how an older file gets there."""

from __future__ import annotations

from supervisor.store.migrations import m0001_history

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection

APPLICATION_ID = 0x5362486A  # "SbHj", in the header of the file: it is ours
MIGRATIONS = (m0001_history.STATEMENTS,)
VERSION = len(MIGRATIONS)


def version_of(db: Connection) -> tuple[int, int, bool]:
    """(application_id, user_version, is there any table?)"""
    application = int(db.execute("PRAGMA application_id").fetchone()[0])
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    has_tables = db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is not None
    return application, version, has_tables


def is_foreign(application: int, version: int, has_tables: bool) -> bool:
    """A database, but none that sbctl has made."""
    return application != APPLICATION_ID and (application != 0 or version != 0 or has_tables)


def migrate(db: Connection) -> None:
    """Bring the tables to our version, one step after the other, all of them or none."""
    db.execute("BEGIN IMMEDIATE")
    try:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
