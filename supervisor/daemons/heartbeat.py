"""The scheduler's two slow beats, the only wake-ups of an idle daemon.

tick        every minute: one event that says it lives and how its servers are; numbered over its own deaths
reconcile   every half minute, silently: a sign of life to `start`, and what we believe against what the kernel says
"""

from __future__ import annotations

from supervisor.base import proc
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.base.loop import Timer
    from supervisor.daemons.scheduler import Scheduler

NOTE = "#scheduler"
NEXT_TOLD = 5  # of the schedules, in a tick


class Heartbeat:
    """Begins once the control socket is open."""

    def __init__(self, daemon: Scheduler) -> None:
        self._daemon = daemon
        self._doubted: set[str] = set()
        self.ticks = 0
        self.last_tick = 0.0
        self._timers: list[Timer] = []  # the next tick, the next reconciliation

    def restore(self, note: dict[str, Any] | None) -> None:
        """A killed scheduler's count goes on."""
        if note is not None:
            self.ticks = note["ticks"]

    def begin(self) -> None:
        compiled, loop = self._daemon.compiled, self._daemon.loop
        self._timers = [
            loop.after(compiled["tick"], self._tick),
            loop.after(compiled["reconcile"], self._reconcile),
        ]

    def renew(self, old: dict[str, Any]) -> None:
        """At another pace from now on; `start` goes by it already, and counts from the sign that is given here."""
        compiled = self._daemon.compiled
        if not self._timers or all(old[beat] == compiled[beat] for beat in ("tick", "reconcile")):
            return
        for timer in self._timers:
            timer.cancel()
        self._sign()
        self.begin()

    def _tick(self) -> None:
        daemon = self._daemon
        self.ticks += 1
        self.last_tick = daemon.clock.wall()
        phases = self._phases()
        said = ", ".join(f"{count} {phase}" for phase, count in phases.items()) or "no servers"
        nearest = daemon.time.nearest(NEXT_TOLD)
        data = {"tick": self.ticks, "phases": phases, "next": dict(nearest)}
        if nearest:
            said += f"; next {nearest[0][0]} at {nearest[0][1]}"
        daemon.bus.tell("tick", f"tick {self.ticks}: {said}", data=data)
        daemon.engine.spawner.note(NOTE, {"ticks": self.ticks})
        daemon.loop.guard(daemon.tidying.tick)
        if daemon.engine.oom is not None:
            daemon.engine.oom.forget()
        self._timers[0] = daemon.loop.after(daemon.compiled["tick"], self._tick)

    def _phases(self) -> dict[str, int]:
        counts = self._daemon.engine.summary()
        return {phase.value: counts[phase.value] for phase in Phase if counts.get(phase.value)}

    def _reconcile(self) -> None:
        """A net below the news of exits: it has never been needed, so it may be slow to be sure."""
        daemon = self._daemon
        self._sign()
        daemon.loop.guard(daemon.time.beat)
        doubted: set[str] = set()
        for service in list(daemon.engine.services.values()):
            if not service.state.has_process or proc.is_there(service.pid):
                continue
            if service.key in self._doubted:
                daemon.engine.exited(service.key, None, True)
            else:
                doubted.add(service.key)
        self._doubted = doubted
        self._timers[1] = daemon.loop.after(daemon.compiled["reconcile"], self._reconcile)

    def _sign(self) -> None:
        if self._daemon.channel is not None:
            self._daemon.channel.send({"alive": True})
