"""What a scheduler that runs without `start` does itself: spawner, reaper and keeper are in its own process."""

from __future__ import annotations

import os
import signal

from supervisor.base import proc
from supervisor.base.errors import Problem
from supervisor.base.files import take_lock
from supervisor.base.loop import Loop
from supervisor.daemons import common
from supervisor.daemons.predecessor import Predecessor
from supervisor.engine.leftovers import find_marked
from supervisor.engine.spawner import LocalSpawner
from supervisor.model.event import WARNING
from supervisor.model.service import CORE_NAMES, PROVIDER_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.daemons.scheduler import Scheduler
    from supervisor.engine.store import Store
    from supervisor.model.home import Home


def begin_alone(daemon: Scheduler) -> None:
    """Once nothing of a predecessor is left."""
    daemon.store = build_store(daemon.loop, daemon.home, daemon.compiled["home_id"])
    daemon.engine.spawner = LocalSpawner(daemon.loop, daemon.store, daemon.engine)
    daemon.open_door()
    daemon.be_there()
    daemon.bus.tell(
        "scheduler.began",
        f"scheduler runs alone, pid {os.getpid()}: if it is killed, its servers are ended at the next start",
        level=WARNING,
    )
    daemon.engine.intent = daemon.intents.read()
    daemon.time.open()
    daemon.engine.load(daemon.compiled.pop("services"))


def build_store(loop: Loop, home: Home, home_id: str) -> Store:
    """Sub-reaper, record file and table, as `start` has them; under `start` none of that is loaded."""
    from supervisor.engine.records import RecordFile
    from supervisor.engine.store import Store

    proc.become_subreaper()
    records = RecordFile(home.records_file, boot=proc.boot_id(), home_id=home_id)
    records.open()  # a refusal is counted, and the marks of the processes still prove whose they are
    return Store(
        loop, records, base_env=common.own_environment(), home_id=home_id, open_files=common.raise_open_files()
    )


def end_escaped(home_id: str) -> None:
    """Without `start` as sub-reaper, whoever left its group is found by the marker it carries."""
    for pid, _key in find_marked(home_id, skip=frozenset((*CORE_NAMES, PROVIDER_NAME))):
        started = proc.start_time(pid)
        if started is not None:
            proc.signal_one(pid, started, signal.SIGKILL)


_held: list[int] = []


def end_what_is_left(daemon: Scheduler) -> None:
    """For one that has left its servers to the next, and for that next one, if `start` is killed in between.

    Nobody else is there to end them, unless another `start` is.
    """
    if _has_start(daemon.home):
        return
    loop, signalled = Loop(daemon.clock, common.report), [False]
    predecessor = Predecessor(loop, daemon.home, daemon.compiled["home_id"], daemon.bus, loop.stop)

    def hurry() -> None:
        predecessor.hurry(None, now=signalled[0])
        signalled[0] = True  # the first one may be the death of `start`

    if not _has_start(daemon.home):  # one that came meanwhile does the same, and what is new is its own
        loop.on_signal(signal.SIGTERM, hurry)
        predecessor.end()
        loop.run()
    daemon.logs.close()


def _has_start(home: Home) -> bool:
    try:
        lock = take_lock(home.lock_file)
    except OSError:  # nobody can come, then
        return False
    if lock is not None:
        os.close(lock)
    return lock is None


def claim(home: Home) -> None:
    """It takes the place of `start`, so it takes its lock."""
    os.makedirs(home.run, mode=0o700, exist_ok=True)
    lock = take_lock(home.lock_file)
    if lock is None:
        raise Problem(
            "this home is running already",
            why="start manages the scheduler",
            remedy="sbctl stop, then sbctl serve scheduler",
        )
    _held.append(lock)
