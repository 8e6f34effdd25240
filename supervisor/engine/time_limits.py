"""How long a stop may last that a person has given a limit: who is not gone by then is killed.

The limits are noted, so that a successor keeps them: a grace may be ten minutes, and whoever asked relies on seconds.
"""

from __future__ import annotations

import signal

from supervisor.model.event import WARNING
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from supervisor.engine.engine import Engine

NOTE = "#time_limits"


class TimeLimits:
    """Of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._limits: list[tuple[float, list[str]]] = []  # when it is over, and whose: keys of processes

    def give(self, names: Iterable[str], seconds: float) -> None:
        """Who has that little time already is not noted again: the note must fit its packet, however often is asked."""
        at = self._engine.loop.clock.now() + seconds
        sooner = {key for due, others in self._limits if due <= at for key in others}
        keys = [key for name in names if (key := self._engine.services[name].key) not in sooner]
        if keys:
            self._watch(at, keys)
            self._note()

    def restore(self, note: dict[str, Any] | None) -> None:
        """Those of a predecessor; one that is over meanwhile is over."""
        for at, keys in (note or {}).get("limits", ()):
            self._watch(at, keys)

    def _watch(self, at: float, keys: list[str]) -> None:
        limit = (at, keys)
        self._limits.append(limit)
        self._engine.loop.at(at, lambda: self._is_over(limit))

    def _is_over(self, limit: tuple[float, list[str]]) -> None:
        self._limits.remove(limit)
        for key in limit[1]:
            self._kill(key)
        self._note()

    def _kill(self, key: str) -> None:
        """Unless it is gone; also one whose turn has not come."""
        engine = self._engine
        service = engine.by_key(key)
        if service is None or not (service.state.phase is Phase.STOPPING or service.is_going_down):
            return
        if service.is_going_down or service.state.want is Want.DOWN:
            engine.stop(service.name, now=True)
        else:  # it goes along, and is still wanted
            engine.tell("service.killed", service.name, "killed: no more time", WARNING)
            engine.spawner.signal(key, signal.SIGKILL)

    def _note(self) -> None:
        """Of those that are still there."""
        there = [[at, [key for key in keys if self._engine.by_key(key) is not None]] for at, keys in self._limits]
        limits = [limit for limit in there if limit[1]]
        self._engine.spawner.note(NOTE, {"limits": limits} if limits else None)
