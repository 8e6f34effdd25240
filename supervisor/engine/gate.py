"""What must come before a start: asked for by a service that waits, answered by Blocked, at last Cleared or Outside.

Nothing is polled where a change can tell: each change of any service is a reason to look again, once a turn and for
all that wait together. Those that are free start at once, side by side.
"""

from __future__ import annotations

from supervisor.core import machine
from supervisor.core.order import Standing, blocked
from supervisor.engine.surroundings import Surroundings
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.engine.engine import Engine
    from supervisor.engine.outside import Outside, Watch
    from supervisor.engine.service import Service
    from supervisor.model.order import Order


class Waiting:
    """One that has asked, until it is answered or has left."""

    __slots__ = ("look", "looked", "names", "order", "reason", "seen", "service", "surroundings")

    def __init__(self, service: Service, surroundings: Surroundings, *, look: bool) -> None:
        self.service = service
        self.surroundings = surroundings
        self.look = look  # also for the same program, started by somebody else
        self.looked = False  # ... which has been done, and just now
        self.order: Order | None = None  # by which it was asked last what is in its way, ...
        self.names: tuple[str, ...] = ()  # ... of whom ...
        self.seen: list[object] | None = None  # ... as they were then ...
        self.reason = ""  # ... and the answer


class Gate:
    """All that wait in one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: dict[str, Waiting] = {}
        self._watches: dict[str, Watch] = {}  # of programs that others have started
        self._soon = False
        self._going: list[Service] = []  # what the settings no longer know, and is still there
        self.outside: Outside | None = None  # who finds those
        self.max_starting = 0  # so many may be on their way up at once; 0: all
        engine.watch_service(self._changed)

    def let_start(self, most: int) -> None:
        """So many at once from now on; with more room, who waits need not wait for a change of somebody."""
        if most != self.max_starting:
            self.max_starting = most
            self._look_soon()

    @property
    def undecided(self) -> bool:
        """Whether somebody has asked and not even been told to wait."""
        return any(not waiting.service.state.waits_for for waiting in self._waiting.values())

    def ask(self, service: Service, *, look: bool) -> None:
        self._leave(service.name)
        surroundings = Surroundings(self._engine, service, self._look_soon)
        self._waiting[service.name] = Waiting(service, surroundings, look=look and self.outside is not None)
        self._look_soon()

    def resume(self, service: Service) -> None:
        """As a predecessor left it: waiting, or with its program running outside."""
        if service.state.phase is Phase.WAITING:
            self.ask(service, look=service.spec.policy.look_outside)
        elif service.state.phase is Phase.EXTERNAL:
            self._engine.loop.soon(lambda: self._look_again(service))

    def missing(self, service: Service) -> str:
        """What of its surroundings it waits for, where that was looked at."""
        waiting = self._waiting.get(service.name)
        return waiting.surroundings.missing or "" if waiting is not None else ""

    def standing(self, name: str) -> Standing | None:
        """How another service stands, for those that are ordered behind it."""
        service = self._engine.services.get(name)
        if service is None or service.removed:
            return None
        standing = Standing.of(service.state)
        if service.leaving and standing.phase is not Phase.STOPPED:
            standing.phase = Phase.STOPPING  # decided; those that need it go first
            standing.want = Want.DOWN if service.is_going_down else Want.UP
        elif standing.phase is Phase.STOPPED and service.disabled:
            standing.reason = "disabled"
        return standing

    # looking

    def _changed(self, service: Service, _before: Phase) -> None:
        name, phase = service.name, service.state.phase
        if name in self._waiting and (phase is not Phase.WAITING or self._waiting[name].service is not service):
            self._leave(name)
        if name in self._watches and phase is not Phase.EXTERNAL:
            self._watches.pop(name).cancel()
        self._look_soon()

    def _leave(self, name: str) -> None:
        waiting = self._waiting.pop(name, None)
        if waiting is not None:
            waiting.surroundings.cancel()

    def _look_soon(self) -> None:
        if self._waiting and not self._soon:
            self._soon = True
            self._engine.loop.soon(self._look)

    def _look(self) -> None:
        self._soon = False
        if self._engine.stopping:
            return
        self._find_outside([one for one in self._waiting.values() if not one.service.state.waits_for])
        self._going = [service for service in self._engine.services.values() if service.removed]
        free: list[Waiting] = []
        for waiting in list(self._waiting.values()):
            reason = self._in_the_way(waiting)
            if reason:
                self._block(waiting, reason)
            elif reason is not None:
                free.append(waiting)
        free = self._as_many_as_may(free)
        self._find_outside(free)
        for waiting in free:
            if self._waiting.get(waiting.service.name) is waiting:
                self._let_in(waiting)

    def _in_the_way(self, waiting: Waiting) -> str | None:
        """What it must wait for; None: that will be known in a moment."""
        order = waiting.service.spec.order
        reason = self._blocked(waiting, order) or self._still_goes(waiting.service)
        if reason:
            waiting.surroundings.cancel()
        elif order.has_surroundings:
            if not waiting.surroundings.begun:
                waiting.surroundings.look()
            return waiting.surroundings.missing
        return reason

    def _blocked(self, waiting: Waiting, order: Order) -> str:
        """The same as before, as long as those before it are: of a long chain only the next one is not."""
        if order is not waiting.order:
            waiting.order, waiting.names, waiting.seen = order, order.neighbours, None
        services = self._engine.services
        seen = [_what_counts(services.get(name)) for name in waiting.names]
        if seen != waiting.seen:
            waiting.seen, waiting.reason = seen, blocked(order, self.standing)
        return waiting.reason

    def _still_goes(self, service: Service) -> str:
        """Another number of instances gives them other names: who goes may hold the port of who comes."""
        for other in self._going:
            if other.spec.plugin == service.spec.plugin and self._engine.services.get(other.name) is other:
                return f"{other.name} ({other.state.phase}, not in the settings any more)"
        return ""

    def _block(self, waiting: Waiting, reason: str) -> None:
        waiting.looked = False  # by the time the way is free somebody may have started it
        if reason != waiting.service.state.waits_for:
            self._engine.feed(waiting.service.name, machine.Blocked(reason))

    def _as_many_as_may(self, free: list[Waiting]) -> list[Waiting]:
        """The others have to queue; they are not even looked for outside."""
        if not self.max_starting or not free:
            return free
        starting = sum(service.state.phase is Phase.STARTING for service in self._engine.services.values())
        room = max(self.max_starting - starting, 0)
        for waiting in free[room:]:
            self._block(waiting, f"its turn ({starting + room} are starting)")
        return free[:room]

    def _let_in(self, waiting: Waiting) -> None:
        self._leave(waiting.service.name)
        self._engine.feed(waiting.service.name, machine.Cleared())

    # outside

    def _find_outside(self, candidates: list[Waiting]) -> None:
        """One walk over all processes for all that ask now."""
        asking = [waiting for waiting in candidates if waiting.look and not waiting.looked]
        if not asking or self.outside is None:
            return
        found = self.outside.look([waiting.service.spec for waiting in asking], self._engine.own_pids())
        for waiting in asking:
            waiting.looked = True
            name = waiting.service.name
            if name in found:
                pid, started = found[name]
                self._engine.feed(name, machine.Outside(pid))
                self._watch(waiting.service, pid, started)

    def _watch(self, service: Service, pid: int, started: int) -> None:
        assert self.outside is not None
        name = service.name
        if name in self._watches:
            self._watches.pop(name).cancel()
        self._watches[name] = self.outside.watch(name, pid, started, lambda: self._gone(name))

    def _gone(self, name: str) -> None:
        self._watches.pop(name, None)
        service = self._engine.services.get(name)
        if service is not None and service.state.phase is Phase.EXTERNAL:
            self._engine.feed(name, machine.OutsideGone())

    def _look_again(self, service: Service) -> None:
        """After a hand-over: the pid alone would prove nothing."""
        if service.state.phase is not Phase.EXTERNAL or self._engine.services.get(service.name) is not service:
            return
        found = self.outside.look([service.spec]) if self.outside is not None else {}
        pid, started = found.get(service.name, (0, 0))
        if pid == service.state.outside:
            self._watch(service, pid, started)
        else:
            self._gone(service.name)


def _what_counts(service: Service | None) -> object:
    """All that `Gate.standing` goes by. A state is made anew with each input, but for those that are adopted."""
    if service is None:
        return None
    state = service.state
    return service, state, state.phase, state.want, service.leaving, service.removed, service.intent
