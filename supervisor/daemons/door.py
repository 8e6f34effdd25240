"""The scheduler's control socket. Without one it still supervises: a disk that has no room for it is asked again."""

from __future__ import annotations

from supervisor.control.server import ControlServer
from supervisor.model.event import WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop
    from supervisor.control.api import Handler
    from supervisor.events.bus import Bus
    from supervisor.model.home import Home

RETRY_S = 1.0


class Door:
    """Opened once; from then on people and `sbctl` get in."""

    def __init__(
        self,
        loop: Loop,
        home: Home,
        bus: Bus,
        on_open: Callable[[], None],
        when_said: Callable[[Callable[[], None]], None],
    ) -> None:
        self._loop = loop
        self._home = home
        self._bus = bus
        self._on_open = on_open
        self._when_said = when_said
        self._handlers: dict[str, Handler] = {}
        self._server: ControlServer | None = None
        self._is_closed = False
        self.trouble = ""  # why nobody gets in

    def open(self, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers
        self._try()

    def _try(self) -> None:
        if self._is_closed:
            return
        try:
            name = self._home.socket_name("scheduler")
            self._server = ControlServer(self._loop, self._home.run, name, self._handlers, when_said=self._when_said)
        except OSError as error:
            self._tell(error.strerror or str(error))
            self._loop.after(RETRY_S, self._try)
            return
        if self.trouble:
            self.trouble = ""
            self._bus.tell("control.recovered", "the control socket is open now")
            self._on_open()

    def _tell(self, why: str) -> None:
        if not self.trouble:
            text = f"can't open the control socket in {self._home.run}: {why}; it is tried again"
            self._bus.tell("control.failed", text, level=WARNING)
        self.trouble = why

    def close(self) -> None:
        self._is_closed = True
        if self._server is not None:
            self._server.close()
