"""What a scheduler that runs without `start` does itself: spawner, reaper and keeper are in its own process."""

from __future__ import annotations

import os
import signal

from supervisor.base import proc
from supervisor.base.errors import Problem
from supervisor.base.files import take_lock
from supervisor.daemons import common
from supervisor.engine.leftovers import find_marked
from supervisor.model.service import CORE_NAMES, PROVIDER_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.loop import Loop
    from supervisor.engine.store import Store
    from supervisor.model.home import Home


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
