"""What a scheduler tells `start` of itself: that it is ready, and what it has to do."""

from __future__ import annotations

from supervisor import __version__
from supervisor.base import proc
from supervisor.base.counting import counted
from supervisor.base.rest import Rest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.daemons.scheduler import Scheduler


class Announcing:
    """Nothing, if it runs alone."""

    def __init__(self, daemon: Scheduler) -> None:
        self._daemon = daemon
        self._is_ready = False
        self._unanswered = Rest(daemon.engine.services.values, lambda service: service.state.in_flight)
        self._said = ""  # how many servers and schedules there are

    def look(self) -> None:
        """Ready once the first burst of spawns has been answered."""
        daemon = self._daemon
        if self._is_ready or daemon.channel is None or not daemon.is_there:
            return
        if daemon.engine.gate.undecided or self._unanswered.anybody():
            return
        self._is_ready = True
        self.say_how_many()
        daemon.channel.send({"ready": True, "parent_signal": proc.parent_signal(), "version": __version__})

    def say_how_many(self) -> None:
        daemon = self._daemon
        if daemon.channel is None:
            return
        schedules = daemon.time.count()
        more = f", {counted(schedules, 'schedule')}" if schedules else ""
        detail = f"{counted(len(daemon.engine.services), 'server')}{more}"
        if daemon.door.trouble:
            detail += f"; can't be asked, its socket can't be made: {daemon.door.trouble}"
        if detail != self._said:
            self._said = detail
            daemon.channel.send({"detail": detail})
