"""The end of the whole tree: the core services are asked, the scheduler ends what it manages, nothing stays behind.

begin        TERM to the core services; the scheduler stops its servers first (cascade)
no scheduler what it managed is ended from here, by the store's own table: each one's signal and grace, then KILL;
             in the order that the scheduler has noted, but without the services' own commands
limit        shortly before it (T − 1 s) whatever is left is killed, the servers' groups first, then the daemons
"""

from __future__ import annotations

import signal

from supervisor.engine.entries import is_job, service_of
from supervisor.engine.texts import duration
from supervisor.model.event import WARNING, Event
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop, Timer
    from supervisor.engine.engine import Engine
    from supervisor.engine.entries import Entry
    from supervisor.engine.keeper import Keeper
    from supervisor.engine.store import Store

DAEMONS_AFTER_S = 0.3
LOOK_AGAIN_S = 0.02


def kill_after(timeout: float) -> float:
    """When SIGKILL must come so that all is over at the limit: a second before it, of a short limit the last fifth."""
    return max(timeout - min(1.0, timeout / 5), 0.0)


class Shutdown:
    """Begins once, is hurried any number of times, and calls `on_done` once."""

    def __init__(self, loop: Loop, store: Store, engine: Engine, keeper: Keeper, on_done: Callable[[], None]) -> None:
        self._loop = loop
        self._store = store
        self._engine = engine
        self._keeper = keeper
        self._on_done = on_done
        self._limit: Timer | None = None
        self._ended: set[str] = set()  # keys of the scheduler's that are being ended from here
        self._again: Timer | None = None
        self._done = False
        self.begun = False

    def watch(self) -> None:
        """Called once the engine has services: from then on each change is looked at."""
        self._engine.watch(self.proceed)

    def begin(self, timeout: float | None, *, now: bool = False) -> None:
        if not self.begun:
            self.begun = True
            self._engine.stop_all()
        if now:
            self._kill()
        elif timeout is not None:
            if self._limit is not None:
                self._limit.cancel()
            self._limit = self._loop.after(kill_after(timeout), self._kill)
        self.proceed()

    def proceed(self) -> None:
        """After each change: is it over, or is it up to us now?"""
        if self._done or not (self._engine.all_gone if self.begun else self._scheduler_is_down()):
            return
        if self._end_left():
            # Their exits go to the keeper, not to the engine we watch.
            if self._again is not None:
                self._again.cancel()
            self._again = self._loop.after(LOOK_AGAIN_S, self.proceed)
        elif self.begun:
            self._done = True
            self._keeper.pump_alone()
            self._loop.soon(self._on_done)
        else:
            self._keeper.forget_ended()

    def _scheduler_is_down(self) -> bool:
        """Stopped by a person; killed in the middle of its cascade, it may have left servers behind."""
        scheduler = self._engine.services.get("scheduler")
        return scheduler is not None and scheduler.state.phase is Phase.STOPPED

    def _end_left(self) -> bool:
        """End what no scheduler is there to end, in the order that it has noted; False: nothing is left."""
        left = [entry for entry in self._keeper.entries() if not entry.empty]
        self._ended &= {entry.key for entry in left}
        held = self._held({service_of(entry.key) for entry in left})
        for entry in left:
            if entry.key not in self._ended and service_of(entry.key) not in held:
                self._end(entry)
        return bool(left)

    def _held(self, there: set[str]) -> set[str]:
        """Those of them that others of them are ordered behind; nobody, if that is a circle."""
        notes = self._keeper.notes
        held = {name for other in there for name in notes.get(other, {}).get("behind", ())} & there
        return held if held != there else set()

    def _end(self, entry: Entry) -> None:
        self._ended.add(entry.key)
        number, grace = entry.stop
        if not entry.signalled:  # else the scheduler got that far; a second signal would mean "at once" to many
            self._store.signal(entry.key, number)
        self._loop.after(grace, lambda: self._kill_one(entry))

    def _kill_one(self, entry: Entry) -> None:
        if not entry.empty:
            self._tell_killed(entry, f"did not end within {duration(entry.stop[1])}: killed")
            self._store.signal_entry(entry, signal.SIGKILL)

    def _kill(self) -> None:
        """No more time: the groups, then (they may still want to write down what happened) the daemons."""
        for entry in self._keeper.entries():
            if not entry.empty:
                self._tell_killed(entry, "killed: no more time")
        self._store.kill_all(self._keeper)
        for name, service in self._engine.services.items():
            if name != "scheduler" and service.state.has_process:
                self._engine.stop(name, now=True)
        self._loop.after(DAEMONS_AFTER_S, self._kill_rest)

    def _tell_killed(self, entry: Entry, text: str) -> None:
        """The scheduler writes it down, as long as it is there; who waits for the stop names it."""
        if not is_job(entry.key):
            name = service_of(entry.key)
            data = {"key": entry.key, "pid": entry.pid, "grace": None}
            at = self._loop.clock.wall()
            self._engine.emit(Event("service.killed", f"{name}: {text}", at=at, service=name, level=WARNING, data=data))

    def _kill_rest(self) -> None:
        if not self._done:
            self._store.kill_all()
            self._loop.after(DAEMONS_AFTER_S, self._kill_rest)
