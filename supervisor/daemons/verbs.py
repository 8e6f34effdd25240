"""The control verbs that every daemon with an engine has, written once."""

from __future__ import annotations

import os

from supervisor import __version__
from supervisor.base.clock import iso
from supervisor.control.api import unknown_name
from supervisor.engine import view
from supervisor.engine.usage import Usage
from supervisor.model.rows import encode_rows
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.control.connection import Reply
    from supervisor.engine.engine import Engine
    from supervisor.engine.service import Service

    Args = dict[str, Any]

DEFAULT_SETTLE_S = 10.0
NAMED_TIMES = 3  # whoever asks for one service wants to know that it stays up, and can wait that much longer


class EngineVerbs:
    """ping, status, rows, start, stop, restart, settle, why."""

    def __init__(self, role: str, engine: Engine, *, started: float, settle: float) -> None:
        self.role = role
        self.engine = engine
        self.usage = Usage(engine, nearby=role == "start")  # the few core services, which leave no child behind
        self.started = started
        self.settle_s = settle
        self.revision = ""
        self.settings_problems: list[str] = []  # errors in the files, for which something older or less is in force
        self.ticks = 0
        self.last_activity = started
        self.stopping = False

    def table(self) -> dict[str, Callable[[Args, Reply], None]]:
        return {
            "ping": self.ping,
            "status": self.status,
            "rows": self.rows,
            "start": self.start,
            "stop": self.stop,
            "restart": self.restart,
            "settle": self.settle,
            "why": self.why,
        }

    # looking

    def ping(self, _args: Args, reply: Reply) -> None:
        reply.send({"role": self.role, "pid": os.getpid(), "version": __version__, "revision": self.revision})

    def summary(self) -> dict[str, Any]:
        wall = self.engine.loop.clock.wall()
        return {
            "state": self.state(),
            "pid": os.getpid(),
            "started": self.started,
            "started_at": iso(self.started),
            "wall": wall,
            "now": iso(wall),
            "last_activity_at": iso(self.last_activity),
            "ticks": self.ticks,
            "revision": self.revision,
            "settings_problems": self.settings_problems,
        }

    def state(self) -> str:
        if self.stopping:
            return "stopping"
        services = self.engine.services.values()
        wanted = [service.state.phase for service in services if service.state.want is Want.UP]
        if any(phase in (Phase.BACKOFF, Phase.FAILED) for phase in wanted) or any(s.degraded for s in services):
            return "degraded"
        if any(phase in (Phase.STARTING, Phase.STOPPING) for phase in wanted):
            return "starting"
        return "degraded" if Phase.WAITING in wanted else "running"

    def status(self, _args: Args, reply: Reply) -> None:
        reply.send({"summary": self.summary(), "rows": view.rows(self.engine, self.usage.look())})

    def rows(self, _args: Args, reply: Reply) -> None:
        reply.raw(encode_rows(self.role, self.summary(), view.rows(self.engine, self.usage.look())))

    def why(self, args: Args, reply: Reply) -> None:
        service = self._find(args["name"])
        reply.send(view.why(self.engine, service, self.usage.look().get(service.name)))

    # asking

    def _find(self, name: str) -> Service:
        service = self.engine.services.get(name)
        if service is None:
            raise unknown_name(name, self.engine.services)
        return service

    def _names(self, args: Args) -> list[str]:
        """All known, or nothing is done at all."""
        names: list[str] = args.get("names") or []
        return [self._find(name).name for name in names]

    def start(self, args: Args, reply: Reply) -> None:
        accepted: list[str] = []
        already: list[str] = []
        for name in self._names(args):
            (accepted if self.engine.start(name) else already).append(name)
        reply.send({"accepted": accepted, "already": already})

    def stop(self, args: Args, reply: Reply) -> None:
        accepted, already = [], []
        for name in self._names(args):
            if self.engine.stop(name):
                accepted.append(name)
                self._bound(name, args.get("timeout"))
            else:
                already.append(name)
        reply.send({"accepted": accepted, "already": already})

    def _bound(self, name: str, timeout: float | None) -> None:
        """A time limit of the asker: what is left then is killed."""
        if timeout is None:
            return
        key = self.engine.services[name].key

        def kill() -> None:
            service = self.engine.by_key(key)
            if service is not None and service.state.phase is Phase.STOPPING:
                self.engine.stop(name, now=True)

        self.engine.loop.after(timeout, kill)

    def restart(self, args: Args, reply: Reply) -> None:
        names = self._names(args)
        for name in names:
            self.engine.restart(name)
        reply.send({"accepted": names, "already": []})

    def settle(self, args: Args, reply: Reply) -> None:
        names = None if args.get("names") is None else self._names(args)
        settle = self.settle_s if names is None else self.settle_s * NAMED_TIMES
        limit = args.get("timeout")

        def done(settled: bool) -> None:
            reply.send({"settled": settled, "rows": view.rows(self.engine)})

        waiting = view.Settling(self.engine, names, DEFAULT_SETTLE_S if limit is None else float(limit), settle, done)
        reply.on_closed(waiting.cancel)
