"""What a killed predecessor has left running is ended before anything new is started: two of a service are worse
than none. The same for `start` and for a scheduler that runs alone.
"""

from __future__ import annotations

from supervisor.base import proc
from supervisor.base.files import remove_quietly
from supervisor.daemons.shutdown import kill_after
from supervisor.engine.entries import is_job, name_of
from supervisor.engine.leftovers import Ending, find_left
from supervisor.engine.records import read_records
from supervisor.model.event import WARNING
from supervisor.model.service import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from supervisor.base.loop import Loop
    from supervisor.events.bus import Bus
    from supervisor.model.home import Home


class Predecessor:
    """Its leftovers, from the first look until the last one is gone."""

    def __init__(self, loop: Loop, home: Home, home_id: str, bus: Bus, on_done: Callable[[], None]) -> None:
        self._loop = loop
        self._home = home
        self._on_done = on_done
        records = read_records(home.records_file, proc.boot_id(), home_id)
        self._left = find_left(records, home_id, Policy().stop)
        for left in self._left:
            bus.tell(
                "leftover.found",
                f"{name_of(left.key) or 'a process'}: left over from a killed sbctl, pid {left.pid}: ending it",
                level=WARNING,
                data={"key": left.key, "pid": left.pid},
            )
        self._ending = Ending(loop, self._left, self._gone)

    def end(self) -> None:
        self._ending.begin()

    def hurry(self, timeout: float | None, *, now: bool) -> None:
        """A stop was asked for meanwhile."""
        if now:
            self._ending.kill_now()
        elif timeout is not None:
            self._loop.after(kill_after(timeout), self._ending.kill_now)

    def said(self) -> str:
        """For whoever waits: who is being ended."""
        return "ending what a killed sbctl left: " + ", ".join(f"{name_of(x.key)} (pid {x.pid})" for x in self._left)

    def _gone(self) -> None:
        forget_pid_files(self._home, (left.key for left in self._left))
        self._on_done()


def forget_pid_files(home: Home, keys: Iterable[str]) -> None:
    """PID files of servers that have ended while no scheduler was there to remove them."""
    for key in keys:
        if not is_job(key):
            plugin, _, number = name_of(key).partition(":")
            remove_quietly(home.server_pid(plugin, int(number) if number.isdecimal() else 0))
