"""`tunnel`: keeps the tunnel's provider alive. Started only when the settings name one.

The provider is supervised by the same engine as everything else, in a store of this process: when the tunnel ends,
its provider has nothing to go on for.
"""

from __future__ import annotations

import _socket
import os
import signal
import sys

from supervisor import __version__
from supervisor.base import proc
from supervisor.base.channel import Channel
from supervisor.base.clock import SystemClock
from supervisor.base.errors import FAILED, Problem
from supervisor.base.loop import Loop
from supervisor.daemons import common
from supervisor.daemons.foreground import Lines
from supervisor.engine.engine import Engine
from supervisor.engine.outlet import PipeOutlet
from supervisor.engine.probes.prober import Prober
from supervisor.engine.records import RecordFile
from supervisor.engine.spawner import LocalSpawner
from supervisor.engine.store import Store
from supervisor.engine.view import rows
from supervisor.events.bus import Bus
from supervisor.model.home import Home
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.base.loop import Timer
    from supervisor.daemons.options import Options
    from supervisor.model.event import Event


class Tunnel:
    """One service, one engine, one line to `start`."""

    def __init__(self, home: Home, options: Options, compiled: dict[str, Any]) -> None:
        self._home = home
        self._options = options
        self._compiled = compiled
        self._loop = Loop(SystemClock(), common.report)
        self._bus = Bus(self._loop.clock, "tunnel", common.report)
        self._bus.add(self._tell)
        self._screen = Lines(1)
        self._engine = Engine(self._loop, self._bus.emit, PipeOutlet(self._loop))
        self._prober = Prober(self._engine)
        self._channel: Channel | None = None
        self._next_beat: Timer | None = None
        self._stopping = False
        self._asked = False  # by a signal
        self._settle = compiled["settle"]  # how long the provider must live to count as up
        self._said: tuple[bool, str] | None = None  # last, to `start`

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.on_signal(number, self._signalled)
        self._loop.on_signal(signal.SIGHUP, lambda: None)
        if not self._options.alone and not proc.die_with_parent(self._options.parent):
            return FAILED
        self._connect()
        store = self._build_store()
        self._loop.on_signal(signal.SIGCHLD, store.reap)
        self._engine.spawner = LocalSpawner(self._loop, store, self._engine)
        self._engine.watch(self._after_change)
        common.publish_pid(self._home.pid_file("tunnel"))
        common.set_title("tunnel", self._home)
        self._engine.load(self._compiled.pop("services"))
        self._beat()
        self._loop.run()
        common.withdraw_pid(self._home.pid_file("tunnel"))
        return 0

    def _connect(self) -> None:
        fd = self._options.channel_fd
        if fd is not None:
            os.set_inheritable(fd, False)
            self._channel = Channel(_socket.socket(fileno=fd), self._loop, on_message=self._hear, on_closed=self._stop)

    def _hear(self, message: dict[str, Any], fds: list[int]) -> None:
        """Other settings of ours, while we run."""
        for fd in fds:
            os.close(fd)
        self._settle = message["settle"]
        self._compiled["reconcile"] = message["reconcile"]
        if self._next_beat is not None:
            self._next_beat.cancel()
            self._beat()
        self._after_change()

    def _beat(self) -> None:
        """A sign of life to `start`, as the scheduler gives it."""
        if self._channel is not None:
            self._channel.send({"alive": True})
            self._next_beat = self._loop.after(self._compiled["reconcile"], self._beat)

    def _build_store(self) -> Store:
        proc.become_subreaper()
        path = os.path.join(self._home.run, "records.tunnel")
        home_id = self._compiled["home_id"]
        records = RecordFile(path, boot=proc.boot_id(), home_id=home_id)
        records.open()
        env = common.own_environment()
        return Store(self._loop, records, base_env=env, home_id=home_id, open_files=common.raise_open_files())

    def _after_change(self) -> None:
        if self._stopping:
            if self._engine.all_gone:
                self._loop.soon(self._loop.stop)
            return
        (provider,) = rows(self._engine)
        up = provider["state"] == Phase.RUNNING and provider["uptime_s"] >= self._settle
        if provider["state"] == Phase.RUNNING and not up:
            self._loop.after(self._settle, self._after_change)  # one that can't be executed ends within that time
        said = (up, f"provider {provider['state']}: {provider['detail'] or 'up'}")
        if said != self._said and self._channel is not None:
            self._said = said
            self._channel.send(
                {"ready": said[0], "detail": said[1], "parent_signal": proc.parent_signal(), "version": __version__}
            )

    def _signalled(self) -> None:
        """The death of `start` brings a signal too, so only the second signal means "now"."""
        again, self._asked = self._asked, True
        self._stop(now=again)

    def _stop(self, *, now: bool = False) -> None:
        self._stopping = True
        self._engine.stop_all(now=now)
        if self._engine.all_gone:
            self._loop.soon(self._loop.stop)

    def _tell(self, event: Event) -> None:
        if self._channel is not None and not self._channel.closed:
            self._channel.send({"event": event.as_dict()})
        else:
            self._screen.show(event.text)


def main(path: str, options: Options) -> int:
    home = Home(path)
    os.umask(0o022)
    os.chdir("/")
    if options.alone:
        common.close_inherited(None)
    try:
        compiled = common.read_settings(home, "tunnel")
    except Problem as problem:
        sys.stderr.write(problem.text() + "\n")
        return problem.code
    return Tunnel(home, options, compiled).run()
