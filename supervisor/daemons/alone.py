"""The store of a daemon that runs without `start`: spawner, reaper and keeper in its own process."""

from __future__ import annotations

from supervisor.base import proc
from supervisor.daemons import common
from supervisor.engine.records import RecordFile
from supervisor.engine.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.loop import Loop
    from supervisor.model.home import Home


def build_store(loop: Loop, home: Home, home_id: str) -> Store:
    """Sub-reaper, record file and table, as `start` has them."""
    proc.become_subreaper()
    records = RecordFile(home.records_file, boot=proc.boot_id(), home_id=home_id)
    records.open()  # a refusal is counted, and the marks of the processes still prove whose they are
    return Store(
        loop, records, base_env=common.own_environment(), home_id=home_id, open_files=common.raise_open_files()
    )
