"""Restarts of several services one after the other: the next goes when the one before is back.

It stops at the first that does not come back: the others run on as they are. The list is noted, so that a successor
goes on with it.
"""

from __future__ import annotations

from supervisor.model.event import WARNING
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    from supervisor.base.loop import Timer
    from supervisor.engine.engine import Engine
    from supervisor.engine.service import Service

NOTE = "#rolling"
ON_THE_WAY = (Phase.STARTING, Phase.STOPPING, Phase.WAITING)


class Roll:
    """One such list; the first of it is being restarted."""

    __slots__ = ("key", "names", "timer")

    def __init__(self, names: list[str], key: str | None = None) -> None:
        self.names = names
        self.key = key  # of the process that the first had before; None: it has not been asked yet
        self.timer: Timer | None = None


class Rolling:
    """All lists of an engine, each for itself."""

    def __init__(self, engine: Engine, settle: float) -> None:
        self._engine = engine
        self.settle = settle  # how long one must live that declares no readiness
        self._rolls: list[Roll] = []
        engine.watch_service(lambda service, _before: self._look(service))
        engine.stops.wanted_down = self.take_out

    def restart(self, names: Iterable[str]) -> None:
        """One after the other, from now on. Who is in another list is done there."""
        queued = {name for roll in self._rolls for name in roll.names if roll.key is None or name != roll.names[0]}
        roll = Roll([name for name in names if name not in queued])
        self._rolls.append(roll)
        self._next(roll)

    @property
    def busy(self) -> bool:
        return bool(self._rolls)

    def take_out(self, names: Collection[str]) -> None:
        """Somebody wants these down: no list may start them again."""
        for roll in [roll for roll in self._rolls if any(name in names for name in roll.names)]:
            first = roll.names[0]
            roll.names = [name for name in roll.names if name not in names]
            if roll.names[:1] != [first]:
                self._clear(roll)
                roll.key = None
                self._engine.loop.soon(lambda roll=roll: self._next(roll))  # type: ignore[misc]
            self._note()

    def restore(self, note: dict[str, Any] | None) -> None:
        """Go on where a predecessor was killed."""
        services = self._engine.services
        for names, key in (note or {}).get("rolls", ()):
            roll = Roll([name for name in names if name in services and not _was_disabled(services[name])], key)
            if roll.names[:1] != names[:1] or self._was_not_asked(services[roll.names[0]], key):
                roll.key = None
            self._rolls.append(roll)
            self._next(roll)

    @staticmethod
    def _was_not_asked(service: Service, key: str | None) -> bool:
        """The predecessor was killed between its note and its word."""
        return service.key == key and service.state.phase is Phase.RUNNING and not service.leaving

    # one list

    def _next(self, roll: Roll) -> None:
        """As far as it goes now."""
        engine = self._engine
        while roll.names and not engine.stopping:
            service = engine.services.get(roll.names[0])
            if service is not None and roll.key is None:
                roll.key = service.key
                self._note()
                engine.stops.restart([service.name])
            if service is not None and not self._is_done(roll, service):
                break
            self._clear(roll)
            if not roll.names:
                break  # it was halted
            del roll.names[0]
            roll.key = None
        if not roll.names or engine.stopping:
            self._rolls = [other for other in self._rolls if other is not roll]
        self._note()

    def _is_done(self, roll: Roll, service: Service) -> bool:
        """Whether the next may go; a list that is halted is emptied."""
        phase = service.state.phase
        if service.leaving or phase in ON_THE_WAY:
            return False  # its restart has not begun, or goes on
        if phase in (Phase.BACKOFF, Phase.FAILED):  # also before there was a new process
            self._halt(roll, service)
        elif phase is Phase.RUNNING and service.key != roll.key:
            return self._has_settled(roll, service)
        return True  # also one that has done its work, or whose restart was called off

    def _has_settled(self, roll: Roll, service: Service) -> bool:
        loop, started = self._engine.loop, service.state.started
        if service.spec.policy.wait_ready or started is None:
            return True
        left = started + self.settle - loop.clock.now()
        if left > 0 and roll.timer is None:
            roll.timer = loop.after(left, lambda: self._time_to_look(roll))
        return left <= 0

    def _time_to_look(self, roll: Roll) -> None:
        roll.timer = None
        self._next(roll)

    def _halt(self, roll: Roll, service: Service) -> None:
        left = roll.names[1:]
        roll.names = []
        if left:
            text = f"did not come up: the rolling restart ends here, as they were stay {', '.join(left)}"
            self._engine.tell("service.rolling_halted", service.name, text, WARNING, {"left": left})

    def _clear(self, roll: Roll) -> None:
        if roll.timer is not None:
            roll.timer.cancel()
            roll.timer = None

    def _look(self, service: Service) -> None:
        for roll in list(self._rolls):
            if roll.names[:1] == [service.name] and roll.key is not None:
                self._clear(roll)
                self._engine.loop.soon(lambda roll=roll: self._next(roll))  # type: ignore[misc]

    def _note(self) -> None:
        rolls = [[roll.names, roll.key] for roll in self._rolls if roll.names]
        self._engine.spawner.note(NOTE, {"rolls": rolls} if rolls else None)


def _was_disabled(service: Service) -> bool:
    """While no scheduler could take it out."""
    return service.disabled and (service.state.want is Want.DOWN or service.is_going_down)
