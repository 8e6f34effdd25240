"""An engine's side of sd_notify: a socket a process, and what follows from what it says there."""

from __future__ import annotations

from supervisor.engine.notify import Heard, Listener, Owner, open_socket
from supervisor.model.check import NOTIFY
from supervisor.model.event import WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.engine.engine import Engine
    from supervisor.engine.entries import Ends
    from supervisor.engine.service import Service


class Hearing:
    """The listeners live and end with the pumps of their process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._watchers: list[Callable[[Service, Heard], None]] = []
        self.home_id = ""  # told by the daemon, before the first service

    def watch(self, call: Callable[[Service, Heard], None]) -> None:
        """Call with everything that is heard, after what is done here: signs of life have a reader of their own."""
        self._watchers.append(call)

    def open(self, service: Service, ends: Ends) -> None:
        """Before a spawn. Without a socket it could never be ready, so that is a failure like that of a pipe."""
        if not service.spec.launch.notify:
            return
        try:
            ends.notify, ends.address = open_socket(self.home_id, service.key)
        except OSError:
            ends.close_given()
            service.pumps.close()
            raise
        self.resume(service, ends.notify)

    def resume(self, service: Service, fd: int) -> None:
        """Listen, also where somebody else has listened so far."""
        key = service.key
        owner = Owner(self.home_id, key, service.spec.launch.user, service.pid)
        service.pumps.ear = Listener(self._engine.loop, fd, owner, lambda heard: self._hear(service, key, heard))

    def catch_up(self, service: Service, heard: dict[str, Any] | None) -> None:
        """With what came while nobody but `start` listened."""
        if heard is not None:
            self._hear(service, service.key, Heard.from_dict(heard))

    def spawned(self, service: Service) -> None:
        if service.pumps.ear is not None:
            service.pumps.ear.owner.leader = service.pid

    def _hear(self, service: Service, key: str, heard: Heard) -> None:
        """A late word of an earlier process concerns nobody."""
        engine, name = self._engine, service.name
        if engine.services.get(name) is not service or service.key != key:
            return
        if heard.refused:
            text = f"pid {heard.refused} sent it a notification and is none of its processes: refused"
            engine.tell("notify.refused", name, text, WARNING, {"sender": heard.refused})
        if heard.status is not None:
            engine.detail(name, heard.status)
        if heard.extend:
            engine.more_time(name, heard.extend)
        if heard.ready and service.spec.ready is not None and service.spec.ready.kind == NOTIFY:
            engine.ready(name, up=True)
        for call in self._watchers:
            call(service, heard)
