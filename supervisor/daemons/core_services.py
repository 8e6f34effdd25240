"""How `start` runs its core services: their command line, their channel, what they say over it, and whether they live.

The scheduler and the tunnel give a sign of life at each of their reconcile beats, which the watchdog waits for; the
config server is asked as any server is. What hangs is ended and started again, the scheduler by a hand-over.
"""

from __future__ import annotations

import _socket
import os

from supervisor.base.channel import Channel, channel_pair
from supervisor.base.files import remove_quietly
from supervisor.base.where import role_command
from supervisor.engine.entries import is_job, name_of
from supervisor.engine.making import CHANNEL_FD
from supervisor.engine.probes.prober import Prober
from supervisor.engine.probes.watchdog import Watchdog
from supervisor.engine.spawner import LocalSpawner
from supervisor.model.event import Event
from supervisor.model.service import Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.base.loop import Loop
    from supervisor.engine.engine import Engine
    from supervisor.engine.entries import Ended, Used
    from supervisor.engine.keeper import Keeper
    from supervisor.engine.store import Store
    from supervisor.model.cause import Cause
    from supervisor.model.home import Home

ROLE = "role:"
SAID = ("parent_signals", "versions")  # what core services have said of themselves


class CoreServices:
    """Stands between the store and the core engine: it hears each exit first."""

    def __init__(self, loop: Loop, store: Store, engine: Engine, keeper: Keeper, home: Home) -> None:
        self._loop = loop
        self._engine = engine
        self._keeper = keeper
        self._home = home
        self._channels: dict[str, Channel] = {}
        self.words: dict[str, list[str]] = {}  # more of its command line, by role
        self._config_port = 0
        self.parent_signals: dict[str, int] = {}  # what each gets should we die, by its own word
        self.versions: dict[str, str] = {}  # of the code that each runs
        self._prober = Prober(engine, self._port)
        self._watchdog = Watchdog(engine)
        self.spawner = LocalSpawner(loop, store, self, self._prepare)

    def _prepare(self, key: str, launch: Launch) -> tuple[Launch, int]:
        """`role:scheduler` becomes a command line of this very copy, with a channel to us."""
        if is_job(key):
            return launch, -1
        name = name_of(key)
        ours, theirs = channel_pair()
        if name == "scheduler":
            self._keeper.connect(ours)
        else:
            self._connect(name, ours)
        words = role_command(launch.argv[0].removeprefix(ROLE), self._home.path)
        words += ["--channel", str(CHANNEL_FD), "--parent", str(os.getpid()), *self.words.get(name, ())]
        data = launch.as_dict()
        data["argv"] = words
        return Launch.from_dict(data), theirs.detach()

    def _connect(self, name: str, sock: _socket.socket) -> None:
        self._channels[name] = Channel(
            sock, self._loop, on_message=lambda message, _fds: self.says(name, message), on_closed=lambda: None
        )

    # going over to the program that this process becomes

    @property
    def unsent(self) -> list[str]:
        """Who does not read what it is told."""
        return [name for name, channel in self._channels.items() if not channel.sent]

    def hand_on(self) -> dict[str, Any]:
        channels = {name: channel.fd for name, channel in self._channels.items() if not channel.closed}
        said = {name: getattr(self, name) for name in SAID}
        return {"channels": channels, "config_port": self._config_port, **said}

    def take_up(self, data: dict[str, Any]) -> None:
        self._config_port = data["config_port"]
        for name in SAID:
            setattr(self, name, data[name])
        for name, fd in data["channels"].items():
            self._connect(name, _socket.socket(fileno=fd))

    def says(self, name: str, message: dict[str, Any]) -> None:
        if "event" in message:
            self._engine.emit(Event.from_dict(message["event"]))
        if name not in self._engine.services:
            return
        if "alive" in message:
            self._watchdog.sign(name)
        if "parent_signal" in message:
            self.parent_signals[name] = int(message["parent_signal"])
            self.versions[name] = str(message.get("version", ""))
        if "detail" in message:
            self._engine.services[name].detail = str(message["detail"])
        if name == "config" and message.get("ready"):
            port = str(message.get("detail", "")).rpartition(":")[2]
            self._config_port = int(port) if port.isdigit() else 0
        if "ready" in message:
            self._engine.ready(name, up=bool(message["ready"]))

    def tell(self, name: str, message: dict[str, Any]) -> None:
        """To one that is there and listens; a new one reads its settings itself."""
        if name in self._channels:
            self._channels[name].send(message)

    def _port(self) -> int:
        """Of a config server that has found a free one; 0: not yet."""
        return self._config_port

    # answers of the store, passed on

    def spawned(self, key: str, pid: int, started: int) -> None:
        self._engine.spawned(key, pid, started)

    def spawn_failed(self, key: str, cause: Cause) -> None:
        self._let_go(key)
        self._engine.spawn_failed(key, cause)

    def exited(
        self,
        key: str,
        status: int | None,
        empty: bool,
        oom: bool | None = None,
        used: Used | None = None,
        *,
        ended: Ended | None = None,
    ) -> None:
        self._let_go(key)
        self._engine.exited(key, status, empty, oom, used, ended=ended)

    def emptied(self, key: str) -> None:
        self._engine.emptied(key)

    def _let_go(self, key: str) -> None:
        """It has been waited for and has no successor yet. One that was killed could not tidy up itself."""
        if is_job(key):
            return
        name = name_of(key)
        remove_quietly(self._home.pid_file(name))
        remove_quietly(os.path.join(self._home.run, self._home.socket_name(name)))
        if name == "scheduler":
            self._keeper.scheduler_gone()
        channel = self._channels.pop(name, None)
        self.parent_signals.pop(name, None)
        self.versions.pop(name, None)
        if name == "config":
            self._config_port = 0
        if channel is not None:
            channel.close()
