"""The writer's thread: takes one job at a time, does it in one transaction, says how it went.

It holds no queue and decides nothing: what failed is given to it again, when the loop thinks so.
"""

from __future__ import annotations

import _sqlite3
import os
import signal

from supervisor.store import bulk, database
from supervisor.store.each import apply_each, is_trouble
from supervisor.store.loading import load, load_with
from supervisor.store.retention import Pruner
from supervisor.store.trouble import BUSY, CORRUPT, DISK, FULL, MOVED, READ_ONLY, UNWRITABLE, Trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection

    from supervisor.base.clock import Clock
    from supervisor.store.job import Bench, Job
    from supervisor.store.rows import Loaded
    from supervisor.store.writes import Write

REMOVED = "it was removed while it was in use"


def work(bench: Bench, path: str, clock: Clock) -> None:
    """The thread, from its start to its end."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are the loop's
    worker = Worker(path, clock)
    while True:
        job = bench.take()
        try:
            worker.do(job)
        except BaseException as error:  # a defect, or no memory: the loop decides; this thread goes on
            job.trouble = Trouble(DISK, f"{type(error).__name__}: {error}")
            job.errors.append(error)
            worker.leave()
        bench.finished(job)
        if job.kind == "stop":
            return


class Worker:
    """Holds the connection. One thread makes it and uses it."""

    def __init__(self, path: str, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._db: Connection | None = None
        self._marks: database.Marks = ()
        self._pruner: Pruner | None = None

    def do(self, job: Job) -> None:
        """Carry it out; what went wrong with the file stands in `job.trouble`."""
        if job.kind == "stop":
            self.leave()
            return
        job.news = []
        for _ in range(3):  # a damaged file gives way to a new one, once; a moved one is left once
            try:
                self._do(job)
            except Trouble as trouble:
                job.trouble = trouble
            except OSError as error:
                job.trouble = database.trouble_of_os(error)
            except _sqlite3.Error as error:
                if not database.is_ours(error):
                    raise
                job.trouble = database.trouble_of(error)
            else:
                job.trouble = None
                return
            if not self._recover(job, job.trouble):
                return

    def _do(self, job: Job) -> None:
        db = self._ready(job)
        if job.kind == "write":
            self._write(db, job)
        elif job.kind == "load":
            database.look_over(db, self.path)
            job.loaded = load_with(db, job.writes, job.asked) if job.writes else load(db, job.asked)
        elif job.kind == "prune":
            self._prune(db, job)

    def _recover(self, job: Job, trouble: Trouble) -> bool:
        """Leave things so that the next try can work; True: try again at once."""
        db = self._db
        if trouble.kind in (BUSY, FULL) and db is not None:
            _roll_back(db)
            return False
        self.leave()
        if trouble.kind == CORRUPT:
            try:
                aside = database.set_aside(self.path, "broken", self._clock.wall())
            except OSError as error:
                job.trouble = Trouble(CORRUPT, f"{trouble.text}, and can't be set aside ({error.strerror})")
                return False
            job.news.append(f"{trouble.text}: it was set aside as {os.path.basename(aside)}, and a new one begun")
            return True
        if trouble.kind == MOVED:
            database.leave_beside(self.path, self._marks, self._clock.wall())
            job.news.append(f"{REMOVED}; a new one was begun")
            return True
        if job.kind == "load" and trouble.kind in (FULL, READ_ONLY, UNWRITABLE, DISK):
            job.loaded = self._load_as_reader(job)
        return False

    # the connection

    def _ready(self, job: Job) -> Connection:
        """The connection, to the file that has the name now."""
        if self._db is not None and database.marks(self.path) != self._marks:
            was_removed = database.marks(self.path)[0] != self._marks[0]
            if not was_removed:  # a -wal that has lost its name holds what the file still lacks
                self._db.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
            self.leave()
            if was_removed:
                database.leave_beside(self.path, self._marks, self._clock.wall())
                job.news.append(f"{REMOVED}; it is written to the file of that name now, a new one if there was none")
        if self._db is None:
            self._pruner = None
            self._db = database.open_writer(self.path, self._clock.wall())
            self._db.execute("SELECT count(*) FROM schedules WHERE id = ''").fetchone()  # -wal and -shm are there now
            self._marks = database.marks(self.path)
        return self._db

    def leave(self) -> None:
        """Close the connection, whatever state it is in."""
        db, self._db = self._db, None
        if db is not None:
            _roll_back(db)
            try:
                db.close()
            except _sqlite3.Error:
                return

    def _load_as_reader(self, job: Job) -> Loaded | None:
        """It can't be written; it may be readable all the same."""
        try:
            db = database.open_reader(self.path)
        except (OSError, Trouble, _sqlite3.Error):
            return None
        try:
            return load_with(db, job.writes, job.asked) if job.writes else load(db, job.asked)
        except _sqlite3.Error:
            return None
        finally:
            db.close()

    # writing

    def _write(self, db: Connection, job: Job) -> None:
        try:
            job.answers = self._in_one(db, job.writes)
        except Exception as error:
            _roll_back(db)
            if is_trouble(error):
                raise
            self._one_by_one(db, job)
        if job.writes and database.marks(self.path)[0] != self._marks[0]:
            raise Trouble(MOVED, REMOVED)  # it went into a file without a name

    def _in_one(self, db: Connection, batch: list[Write]) -> list[bool | None]:
        if not batch:  # only to see whether it works again
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
            return []
        db.execute("BEGIN IMMEDIATE")
        answers = bulk.apply_all(db, batch)
        db.execute("COMMIT")
        return answers

    def _one_by_one(self, db: Connection, job: Job) -> None:
        """One of them can't be written at all, which is a defect: the others must not pay for it."""
        db.execute("BEGIN IMMEDIATE")
        job.answers, errors = apply_each(db, job.writes)
        db.execute("COMMIT")
        job.errors += errors[:1]  # there may be thousands, all for the same reason

    def _prune(self, db: Connection, job: Job) -> None:
        if self._pruner is None or self._pruner.policy is not job.policy:
            self._pruner = Pruner(job.policy, self._clock.wall())
        job.more = self._pruner.step(db)
        if not job.more:
            self._pruner = None


def _roll_back(db: Connection) -> None:
    try:
        if db.in_transaction:
            db.execute("ROLLBACK")
    except _sqlite3.Error:
        return
