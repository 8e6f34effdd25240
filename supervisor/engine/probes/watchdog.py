"""Ends services that give no sign of life for too long.

A sign costs one look-up: the timer of a service stays where it is, and sees when it is due whether it is early.
"""

from __future__ import annotations

from supervisor.core.machine import Ending
from supervisor.engine.texts import duration
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.loop import Timer
    from supervisor.engine.engine import Engine
    from supervisor.engine.notify import Heard
    from supervisor.engine.service import Service

ASLEEP_S = 1.0  # a timer that comes so much too late says something about us, or the machine, not about the service


class Watch:
    """The signs of life of one process."""

    __slots__ = ("key", "last", "limit", "service", "timer")

    def __init__(self, service: Service, now: float) -> None:
        self.service = service
        self.key = service.key
        self.limit = service.spec.watchdog
        self.last = now
        self.timer: Timer | None = None


class Watchdog:
    """Counts from the moment a service is up (or is taken over from a predecessor)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._watches: dict[str, Watch] = {}
        engine.watch_service(self._changed)
        engine.hearing.watch(self._heard)

    def sign(self, name: str) -> None:
        """It lives."""
        watch = self._watches.get(name)
        if watch is not None:
            watch.last = self._engine.loop.clock.now()

    def _heard(self, service: Service, heard: Heard) -> None:
        if heard.pings:
            self.sign(service.name)
        if heard.trigger:
            self._end(service, "it asked to be ended (WATCHDOG=trigger)")

    def _changed(self, service: Service, _before: Phase) -> None:
        name, state = service.name, service.state
        is_known = self._engine.services.get(name) is service
        is_watched = is_known and service.spec.watchdog > 0 and state.phase is Phase.RUNNING and state.has_process
        watch = self._watches.get(name)
        if watch is not None and is_watched and watch.key == service.key and watch.limit == service.spec.watchdog:
            return
        if watch is not None:
            self._leave(watch)
        if is_watched:
            watch = self._watches[name] = Watch(service, self._engine.loop.clock.now())
            self._arm(watch)

    def _leave(self, watch: Watch) -> None:
        del self._watches[watch.service.name]
        if watch.timer is not None:
            watch.timer.cancel()

    def _arm(self, watch: Watch) -> None:
        due = watch.last + watch.limit
        watch.timer = self._engine.loop.at(due, lambda: self._due(watch, due))

    def _due(self, watch: Watch, due: float) -> None:
        now = self._engine.loop.clock.now()
        if now - due > ASLEEP_S:
            watch.last = now
        if watch.last + watch.limit > now:
            self._arm(watch)
        else:
            watch.timer = None
            # Once more around: the sign may be waiting to be read.
            self._engine.loop.soon(lambda: self._judge(watch))

    def _judge(self, watch: Watch) -> None:
        if self._watches.get(watch.service.name) is not watch:
            return
        now = self._engine.loop.clock.now()
        silent = now - watch.last
        if silent >= watch.limit:
            watch.last = now  # should it be let live: as long again
            self._end(watch.service, f"no sign of life for {duration(watch.limit)}")
        if self._watches.get(watch.service.name) is watch:
            self._arm(watch)

    def _end(self, service: Service, text: str) -> None:
        if service.state.phase is Phase.RUNNING:
            self._engine.before_restart(service.name)
        self._engine.must_end(service.name, Ending.WATCHDOG, text, {"watchdog": service.spec.watchdog})
