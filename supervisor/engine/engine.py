"""The one supervision engine: core services in `start`, plugin servers in the scheduler, the provider in `tunnel`.

It decides nothing itself. What comes in (an answer of the spawner, a timer, a person's wish) becomes an input of
the machine; what the machine answers is carried out here. Differences between the daemons are data and the parts
handed in.
"""

from __future__ import annotations

from supervisor.base.files import look_at, publish_pid_file, remove_quietly
from supervisor.core import machine
from supervisor.core.actions import EXITED
from supervisor.core.verdict import cause_of
from supervisor.engine.service import Service
from supervisor.engine.texts import describe
from supervisor.events.words import last_words
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.event import Event
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol

    from supervisor.base.loop import Loop
    from supervisor.engine.entries import Ends
    from supervisor.engine.outlet import Pumps
    from supervisor.engine.spawner import Spawner
    from supervisor.model.service import Launch, Spec

    class Outlet(Protocol):
        def open(self, name: str, launch: Launch) -> tuple[Ends, Pumps]: ...
        def resume(self, name: str, launch: Launch, out_fd: int, err_fd: int) -> Pumps: ...


GONE = (Phase.STOPPED, Phase.FAILED)


class Engine:
    """Services by name; every change of one goes through `feed`."""

    def __init__(self, loop: Loop, emit: Callable[[Event], None], outlet: Outlet) -> None:
        self.loop = loop
        self.services: dict[str, Service] = {}
        self.spawner: Spawner  # set once, before the first service: each needs the other
        self._emit = emit
        self.outlet = outlet
        self._dirty: set[str] = set()
        self._watchers: list[Callable[[], None]] = []
        self.before_restart: Callable[[str], None] = lambda name: None
        self.stopping = False  # the whole is going down: nothing is started any more

    # wishes

    def load(self, specs: Iterable[Spec]) -> None:
        """The services of the settings at start; what is wanted is started in that order."""
        for spec in specs:
            self._add(spec)

    def _add(self, spec: Spec) -> None:
        self.services[spec.name] = Service(spec, machine.State())
        if spec.auto_start:
            self.feed(spec.name, machine.StartAsked())

    def start(self, name: str) -> bool:
        """False: it is up already, or about to be."""
        service = self.services[name]
        if service.state.want is Want.UP and service.state.phase in (Phase.STARTING, Phase.RUNNING):
            return False
        self.feed(name, machine.StartAsked())
        return True

    def stop(self, name: str, *, now: bool = False) -> bool:
        service = self.services[name]
        if service.state.phase is Phase.STOPPED and service.state.want is Want.DOWN:
            return False
        self.feed(name, machine.StopAsked(now=now))
        return True

    def restart(self, name: str) -> None:
        self.before_restart(name)
        self.feed(name, machine.RestartAsked())

    def ready(self, name: str, *, up: bool) -> None:
        """The service says of itself that it is ready, or later that it is not any more (it runs on, degraded)."""
        service = self.services[name]
        service.degraded = not up
        if up and service.state.phase is Phase.STARTING:
            self.feed(name, machine.Ready())

    def stop_all(self, *, now: bool = False) -> None:
        self.stopping = True
        for name in list(self.services):
            self.stop(name, now=now)

    def remove(self, name: str) -> None:
        """The settings no longer know it: stop it, then forget it."""
        service = self.services[name]
        service.removed = True
        self.stop(name)
        self._forget_if_gone(service)

    # answers of the spawner

    def spawned(self, key: str, pid: int, started: int) -> None:
        service = self.by_key(key)
        if service is None:
            self.spawner.drop(key)
            return
        service.pid = pid
        if service.spec.pid_file:
            publish_pid_file(service.spec.pid_file, pid)
        self.feed(service.name, machine.Spawned())

    def spawn_failed(self, key: str, cause: Cause) -> None:
        service = self.by_key(key)
        if service is None:
            return
        service.pumps.close()
        service.told_exit = key
        self._note_exit(service, cause)
        self.feed(service.name, machine.SpawnFailed(cause))

    def exited(self, key: str, status: int | None, empty: bool) -> None:
        service = self.by_key(key)
        if service is None or service.told_exit == key:
            return
        service.pumps.drain()
        cause = self._judge(service, status)
        service.told_exit = key
        service.detail, service.degraded = "", False
        self._note_exit(service, cause)
        if service.spec.pid_file:
            remove_quietly(service.spec.pid_file)
        if empty:
            service.pumps.close()
        self.feed(service.name, machine.Exited(cause, empty=empty))

    def emptied(self, key: str) -> None:
        service = self.by_key(key)
        if service is None:
            return
        service.pumps.drain()
        service.pumps.close()
        self.feed(service.name, machine.Emptied())

    def _judge(self, service: Service, status: int | None) -> Cause:
        asked = service.state.ending is machine.Ending.ASKED
        if status is None:
            kind = CauseKind.STOPPED if asked else CauseKind.UNKNOWN
            return Cause(kind, "stopped" if asked else "it ended while nobody could wait for it")
        policy = service.spec.policy
        words = last_words(service.spec.launch.log, since_offset=service.log_from, since_inode=service.log_inode)
        return cause_of(
            status, asked=asked, words=words, exit_codes=policy.exit_codes, stop_signals=policy.stop_signals
        )

    def _note_exit(self, service: Service, cause: Cause) -> None:
        service.exit = {"code": cause.code, "signal": cause.signal, "at": self.loop.clock.wall()}

    def by_key(self, key: str) -> Service | None:
        """The service whose newest process this is; a late word about an older one concerns nobody."""
        service = self.services.get(key.rpartition(".")[0])
        return service if service is not None and service.key == key else None

    # the machine

    def feed(self, name: str, event: machine.Input) -> None:
        """One input: the state moves, the actions are done, who waits is told."""
        service = self.services[name]
        before = service.state.phase
        service.state, actions = machine.step(service.state, event, service.spec.policy, self.loop.clock.now())
        if service.state.phase is not before:
            service.since = self.loop.clock.wall()
        for action in actions:
            self._do(service, action)
        self.touch(name)
        if service.removed:
            self._forget_if_gone(service)
        for watcher in list(self._watchers):
            watcher()

    def _do(self, service: Service, action: machine.Action) -> None:
        if isinstance(action, machine.Announce):
            self.announce(service, action)
        elif isinstance(action, machine.Spawn):
            self.spawn(service)
        elif isinstance(action, machine.Signal):
            self.spawner.signal(service.key, action.number)
        elif isinstance(action, machine.SetTimer):
            self.set_timer(service, action.token, self.loop.clock.now() + action.delay)
        else:
            self._clear_timer(service)

    def spawn(self, service: Service) -> None:
        """Ask for the next generation; it replaces the entry of the one before."""
        replaces = service.key
        service.generation += 1
        service.key = f"{service.name}.{service.generation}"
        service.pid = 0
        self._spawn_as(service, replaces)

    def _spawn_as(self, service: Service, replaces: str) -> None:
        service.pumps.close()
        spec = service.spec
        service.log_from, service.log_inode = look_at(spec.launch.log)
        try:
            ends, service.pumps = self.outlet.open(service.name, spec.launch)
        except OSError as error:
            cause = Cause(CauseKind.SYSTEM, f"no pipe for its output: {error.strerror}")
            self.loop.soon(lambda key=service.key: self.spawn_failed(key, cause))  # type: ignore[misc]
            return
        self.spawner.spawn(
            service.key,
            spec.launch,
            replaces=replaces,
            ends=ends,
            stop=spec.policy.stop,
        )

    def spawn_again(self, service: Service) -> None:
        """The request of a predecessor that never arrived, under the same key: it is idempotent."""
        self._spawn_as(service, "")

    def set_timer(self, service: Service, token: int, due: float) -> None:
        self._clear_timer(service)
        name = service.name
        service.timer = self.loop.at(due, lambda: self._timer_due(name, token))

    def _timer_due(self, name: str, token: int) -> None:
        service = self.services.get(name)
        if service is not None:
            service.timer = None
            self.feed(name, machine.Timer(token))

    def _clear_timer(self, service: Service) -> None:
        if service.timer is not None:
            service.timer.cancel()
            service.timer = None

    # telling

    def announce(self, service: Service, action: machine.Announce) -> None:
        if action.kind == EXITED and service.told_before:
            service.told_before = False
            return
        text, data = describe(service, action, self.loop.clock.now())
        self.emit(
            Event(action.kind, text, at=self.loop.clock.wall(), service=service.name, level=action.level, data=data)
        )

    def emit(self, event: Event) -> None:
        self._emit(event)
        service = self.services.get(event.service)
        if service is not None:
            service.remember(event.as_record())

    def watch(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call after every change; returns what ends it."""
        self._watchers.append(call)
        return lambda: self._watchers.remove(call) if call in self._watchers else None

    # notes

    def touch(self, name: str) -> None:
        """Its note is out of date. Written once a turn: entries are the truth, notes only add to them."""
        if not self._dirty:
            self.loop.soon(self.flush)
        self._dirty.add(name)

    def flush(self) -> None:
        dirty, self._dirty = self._dirty, set()
        for name in dirty:
            service = self.services.get(name)
            self.spawner.note(name, service.note() if service is not None else None)

    # leaving

    def _forget_if_gone(self, service: Service) -> None:
        if service.state.phase in GONE and self.services.get(service.name) is service:
            self._clear_timer(service)
            service.pumps.close()
            self.spawner.drop(service.key)
            del self.services[service.name]
            self.touch(service.name)

    @property
    def all_gone(self) -> bool:
        return all(service.state.phase in GONE for service in self.services.values())

    def summary(self) -> dict[str, int]:
        """How many are in which phase, for the tick."""
        counts: dict[str, Any] = {}
        for service in self.services.values():
            counts[service.state.phase.value] = counts.get(service.state.phase.value, 0) + 1
        return counts
