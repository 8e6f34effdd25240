"""APScheduler 3 at the same work, for the peers' Python: prints one JSON object.

apscheduler_jobs.py load memory|FILE COUNT
apscheduler_jobs.py due memory|FILE COUNT
apscheduler_jobs.py commands memory|FILE COUNT ROUNDS
apscheduler_jobs.py kept FOLDER COUNT ROUNDS
"""

from __future__ import annotations

import gc
import json
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import Engine, create_engine, event  # type: ignore[import-not-found]

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.schedule_rules import rule_of

AHEAD_S = 3.0
EMPTY = 10  # jobs that are there when memory is first looked at
called: list[float] = []
all_called = threading.Event()
wanted = 0


def engine(file: str) -> Engine:
    """In WAL, which is faster than its default, a rollback journal, and with `synchronous = FULL` as durable."""
    made = create_engine(f"sqlite:///{file}")

    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    event.listen(made, "connect", set_up)
    return made


def scheduler(store: str) -> BackgroundScheduler:
    jobs = MemoryJobStore() if store == "memory" else SQLAlchemyJobStore(engine=engine(store))
    made = BackgroundScheduler(jobstores={"default": jobs}, timezone="Europe/Berlin")
    made.start(paused=True)
    return made


def note(at: float | None = None) -> None:
    called.append(time.time() if at is None else at)
    if len(called) == wanted:
        all_called.set()


def command() -> None:
    subprocess.call(["/bin/true"])
    note()


class Kept:
    """A job that does what ours do for a command: a durable row before it and another after it, its output in a file.

    As one would write it: the pool's threads share one connection, in WAL, and each commits for itself. What counts is
    when the command has been waited for, as with ours; a round is over when the rows of all ends are there, too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._db = sqlite3.connect(folder / "runs.db", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("CREATE TABLE runs (id TEXT PRIMARY KEY, started REAL, ended REAL, exit_code INTEGER)")

    def command(self) -> None:
        run = uuid.uuid4().hex
        with self._lock:
            self._db.execute("INSERT INTO runs (id, started) VALUES (?, ?)", (run, time.time()))
        with (self._folder / f"{run}.log").open("wb") as log:
            code = subprocess.call(["/bin/true"], stdout=log, stderr=log)
        ended = time.time()
        with self._lock:
            self._db.execute("UPDATE runs SET ended = ?, exit_code = ? WHERE id = ?", (ended, code, run))
        note(ended)

    def count(self) -> int:
        found: tuple[int] = self._db.execute("SELECT count(*) FROM runs WHERE exit_code = 0").fetchone()
        return found[0]


def own_memory() -> int:
    gc.collect()
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) << 10


def add(made: BackgroundScheduler, first: int, count: int) -> None:
    for number in range(first, first + count):
        minutes, cron = rule_of(number)
        if minutes:
            made.add_job(note, "interval", minutes=minutes)
        else:
            made.add_job(note, CronTrigger.from_crontab(cron, timezone="Europe/Berlin"))


def load(store: str, count: int) -> dict[str, Any]:
    made = scheduler(store)
    add(made, 0, EMPTY)
    before, began = own_memory(), time.perf_counter()
    add(made, EMPTY, count)
    took = time.perf_counter() - began
    return {"seconds": took, "bytes": (own_memory() - before) / count}


def at_once(made: BackgroundScheduler, job: Any, count: int) -> list[float]:
    """How late each call was, in seconds; of a command, its end."""
    global wanted
    wanted = count
    called.clear()
    all_called.clear()
    due = float(int(time.time() + AHEAD_S + count / 500))
    when = datetime.fromtimestamp(due, UTC)
    made.pause()
    for _ in range(count):
        made.add_job(job, "date", run_date=when, misfire_grace_time=None)
    made.resume()
    if not all_called.wait(AHEAD_S + count / 500 + 60):
        sys.exit(f"{len(called)} of {count} jobs were called within a minute")
    return [at - due for at in called]


def main(what: str, store: str, count: str, rounds: str = "1") -> dict[str, Any]:
    if what == "load":
        return load(store, int(count))
    made = scheduler("memory" if what == "kept" else store)
    made.add_job(note, "date", run_date=datetime.now(UTC) + timedelta(days=1))
    if what == "due":
        at_once(made, note, int(count))  # makes the pool's threads, and does not count
        return {"late": at_once(made, note, int(count))}
    if what == "kept":
        kept = Kept(Path(store))
        return {
            "ended": [max(at_once(made, kept.command, int(count))) for _ in range(int(rounds))],
            "rows": kept.count(),
        }
    return {"ended": [max(at_once(made, command, int(count))) for _ in range(int(rounds))]}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
