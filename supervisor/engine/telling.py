"""What an engine tells: events to the world, changes to whoever watches, notes to a successor."""

from __future__ import annotations

from supervisor.core.actions import EXITED, NOT_READY
from supervisor.engine.texts import describe
from supervisor.model.event import INFO, WARNING, Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.loop import Loop
    from supervisor.core import machine
    from supervisor.engine.service import Service
    from supervisor.engine.spawner import Spawner
    from supervisor.model.service import Phase


class Telling:
    """The part of an engine that moves no service."""

    def __init__(self, loop: Loop, emit: Callable[[Event], None]) -> None:
        self.loop = loop
        self.services: dict[str, Service] = {}
        self.spawner: Spawner  # set once, before the first service: each needs the other
        self._emit = emit
        self._dirty: set[str] = set()
        self._watchers: list[Callable[[], None]] = []
        self._service_watchers: list[Callable[[Service, Phase], None]] = []
        self.before_notes: Callable[[], None] = lambda: None  # what a successor must know no later than those

    # events

    def announce(self, service: Service, action: machine.Announce) -> None:
        if action.kind == EXITED and service.told_before:
            service.told_before = False
            return
        text, data = describe(service, action, self.loop.clock.now())
        self.emit(
            Event(action.kind, text, at=self.loop.clock.wall(), service=service.name, level=action.level, data=data)
        )
        if action.kind == NOT_READY and action.data["lacks"]:
            self.tell("probe.failed", service.name, f"it was never ready: {action.data['lacks']}", WARNING)

    def tell(self, kind: str, name: str, text: str, level: str = INFO, data: dict[str, Any] | None = None) -> None:
        """An event of one service that the machine knows nothing of."""
        service = self.services[name]
        data = {"key": service.key, "pid": service.pid or None, **(data or {})}
        self.emit(Event(kind, f"{name}: {text}", at=self.loop.clock.wall(), service=name, level=level, data=data))

    def emit(self, event: Event) -> None:
        self._emit(event)
        service = self.services.get(event.service)
        if service is not None:
            service.remember(event.as_record())

    # what is said of one

    def degrade(self, name: str, text: str, told: str = "") -> None:
        """It runs on, and can't do its work. `told`: the same, as it is true of this moment only."""
        service = self.services[name]
        was, service.degraded, service.found = service.degraded, True, text
        if not was:
            self.tell("service.degraded", name, f"degraded: {told or text}", WARNING)
        self.tell_watchers(name)

    def recover(self, name: str, text: str = "recovered") -> None:
        service = self.services[name]
        was, service.degraded, service.found = service.degraded, False, ""
        if was:
            self.tell("service.recovered", name, text)
            self.tell_watchers(name)

    def detail(self, name: str, text: str) -> None:
        """What it says of itself, for its row."""
        self.services[name].detail = text
        self.tell_watchers(name)

    # who watches

    def watch(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call after every change; returns what ends it."""
        self._watchers.append(call)
        return lambda: self._watchers.remove(call) if call in self._watchers else None

    def watch_service(self, call: Callable[[Service, Phase], None]) -> None:
        """Call with a service and its phase before, after each change of its phase or process; also when it is gone."""
        self._service_watchers.append(call)

    def tell_changed(self, service: Service, before: Phase) -> None:
        for call in self._service_watchers:
            self.loop.guard(call, service, before)

    def tell_watchers(self, name: str) -> None:
        self.touch(name)
        for watcher in list(self._watchers):
            self.loop.guard(watcher)

    # notes

    def touch(self, name: str) -> None:
        """Its note is out of date. Written once a turn: entries are the truth, notes only add to them."""
        if not self._dirty:
            self.loop.soon(self.flush)
        self._dirty.add(name)

    def flush(self) -> None:
        """Of many at once in few packets; the last one takes the others along."""
        self.before_notes()
        dirty, self._dirty = self._dirty, set()
        left = len(dirty)
        for name in dirty:
            service, left = self.services.get(name), left - 1
            send = self.spawner.note_with_next if left else self.spawner.note
            send(name, service.note() if service is not None else None)
