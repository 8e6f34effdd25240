"""Asks services whether they are ready, and from then on whether they are well.

    STARTING   `ready`: soon after the spawn, then at growing intervals, until it succeeds often enough
    RUNNING    `alive`: once an interval, at a place in it that few others have

Never two questions of one check at a time. Whatever is known of a process is forgotten with it, and an answer that
comes later concerns nobody. Without checks there is no timer either.
"""

from __future__ import annotations

from supervisor.core.health import FIRST_S, Health, Turn, after, in_a_row, in_step, offset, pause
from supervisor.core.machine import Ending
from supervisor.engine.probes.connection import Connection
from supervisor.engine.probes.exec import Command
from supervisor.engine.probes.http import HttpConnection
from supervisor.model.check import DEGRADE, EXEC, HTTP, TCP
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Timer
    from supervisor.engine.engine import Engine
    from supervisor.engine.probes.connection import Attempt, Done
    from supervisor.engine.service import Service
    from supervisor.model.check import Check

READY = "ready"
ALIVE = "alive"
ASKED = (HTTP, TCP, EXEC)  # the other kinds are told, not asked
FIRST_COMMAND_S = 0.1  # a process costs more than a connection


class Watch:
    """One check of one process."""

    __slots__ = ("attempt", "began", "check", "health", "key", "kind", "service", "timer", "tries")

    def __init__(self, service: Service, kind: str, check: Check) -> None:
        self.service = service
        self.key = service.key
        self.kind = kind  # READY or ALIVE
        self.check = check
        self.health = Health(well=kind == ALIVE and not (check.action == DEGRADE and service.found))
        self.tries = 0
        self.began = 0.0  # the last try
        self.timer: Timer | None = None  # until the next try
        self.attempt: Attempt | None = None  # the one under way, or the last

    def goes_by(self, kind: str, check: Check) -> bool:
        """Also after a reload that changed something else of its service."""
        return self.kind == kind and (self.check is check or self.check.as_dict() == check.as_dict())

    def end(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.attempt is not None:
            self.attempt.cancel()
        self.timer = self.attempt = None


class Prober:
    """All checks of one engine that are made by asking."""

    def __init__(self, engine: Engine, port: Callable[[], int] = lambda: 0) -> None:
        self._engine = engine
        self._port = port  # of a service that finds its port itself
        self._watches: dict[str, Watch] = {}
        engine.watch_service(self._changed)

    def __len__(self) -> int:
        return len(self._watches)

    # which checks there are

    def _changed(self, service: Service, _before: Phase) -> None:
        """Also when a service is taken over from a predecessor; it is then asked anew."""
        kind, check = wanted(service) if self._engine.services.get(service.name) is service else ("", None)
        watch = self._watches.get(service.name)
        if watch is not None and watch.key == service.key and check is not None and watch.goes_by(kind, check):
            return
        if watch is not None:
            self._leave(watch)
        if check is not None:
            watch = self._watches[service.name] = Watch(service, kind, check)
            self._plan(watch, self._first(watch))
        elif service.found and service.spec.alive is None and service.state.phase is Phase.RUNNING:
            self._engine.recover(service.name, "degraded no more: it has no alive check now")

    def _leave(self, watch: Watch) -> None:
        watch.end()
        del self._watches[watch.service.name]
        if watch.kind == READY:
            watch.service.lacks = ""

    def _first(self, watch: Watch) -> float:
        """The time of the first try. What has passed of the grace under a predecessor counts."""
        clock, state, check = self._engine.loop.clock, watch.service.state, watch.check
        now = clock.now()
        if watch.kind == READY:
            started = now if state.started is None else state.started
            return max(started + check.grace, now) + pause(0, check.interval, first_pause(check))
        passed = max(clock.wall() - watch.service.since, 0.0)
        soonest = now + max(check.grace - passed, 0.0)
        return max(in_step(soonest + offset(watch.service.name, check.interval), check.interval), soonest)

    def _plan(self, watch: Watch, due: float) -> None:
        watch.timer = self._engine.loop.at(due, lambda: self._try(watch))

    # asking

    def _try(self, watch: Watch) -> None:
        watch.timer = None
        watch.began = self._engine.loop.clock.now()
        watch.tries += 1
        if watch.attempt is not None:
            watch.attempt.cancel()  # it has answered; what was still to come of that is not waited for
        watch.attempt = self._ask(watch, lambda ok, text: self._answered(watch, ok, text))

    def _ask(self, watch: Watch, done: Done) -> Attempt | None:
        loop, check = self._engine.loop, watch.check
        if check.kind == EXEC:
            return Command(self._engine, watch.service, watch.kind, check, done)
        address = check.socket or (check.host, check.port or self._port())
        if not check.socket and not address[1]:
            loop.soon(lambda: done(False, "can't be asked: its port is not known"))
            return None
        if check.kind == HTTP:
            return HttpConnection(loop, address, check, done)
        return Connection(loop, address, check.timeout, done)

    def _answered(self, watch: Watch, ok: bool, text: str) -> None:
        if self._watches.get(watch.service.name) is not watch or watch.service.key != watch.key:
            return
        check, now = watch.check, self._engine.loop.clock.now()
        watch.health, turn = after(watch.health, ok=ok, failures=check.failures, successes=check.successes)
        if watch.kind == READY:
            self._plan(watch, now + pause(watch.tries, check.interval, first_pause(check)))
            self._told_ready(watch, turn, text)
        else:
            self._plan(watch, max(in_step(watch.began + check.interval, check.interval), now))
            self._told_alive(watch, turn, text)

    def _told_ready(self, watch: Watch, turn: Turn, text: str) -> None:
        service, check, passed = watch.service, watch.check, watch.health.passed
        shown = check.named(self._port())
        if turn is Turn.WELL:
            self._engine.ready(service.name)
            return
        found = f"is well, {passed} of {check.successes} times in a row" if passed else text
        lacks = f"{shown} {found}"
        if lacks != service.lacks:
            service.lacks = lacks
            self._engine.tell_watchers(service.name)

    def _told_alive(self, watch: Watch, turn: Turn, text: str) -> None:
        engine, name, check = self._engine, watch.service.name, watch.check
        failed, found = watch.health.failed, watch.service.found
        shown = check.named(self._port())
        now = f"{shown} {text}"
        text = in_a_row(now, failed)
        if turn is Turn.UNWELL and check.action == DEGRADE:
            engine.degrade(name, now, text)
        elif turn is Turn.UNWELL:
            watch.health = Health(well=True)  # should it be let live: the same number of chances again
            engine.before_restart(name)
            engine.must_end(name, Ending.UNHEALTHY, text, {"check": shown, "failures": failed})
        elif found and watch.health.passed >= check.successes:
            engine.recover(name)  # also where an earlier check has found it, and this one would restart it
        elif found and failed and now != found:
            engine.degrade(name, now)  # no less, for another reason


def wanted(service: Service) -> tuple[str, Check | None]:
    """The check that is due in the phase of this service, if there is one."""
    spec, state = service.spec, service.state
    if not state.has_process:
        return "", None
    if state.phase is Phase.STARTING and spec.ready is not None and spec.ready.kind in ASKED and not state.ready:
        return READY, spec.ready
    if state.phase is Phase.RUNNING and spec.alive is not None:
        return ALIVE, spec.alive
    return "", None


def first_pause(check: Check) -> float:
    return FIRST_COMMAND_S if check.kind == EXEC else FIRST_S
