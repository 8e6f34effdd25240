"""The control verbs that every daemon with an engine has, written once."""

from __future__ import annotations

import os

from supervisor import __version__
from supervisor.base.clock import iso
from supervisor.base.errors import FAILED, USAGE, Problem
from supervisor.control.api import no_match, signal_number, unknown_name
from supervisor.core.names import is_pattern, matching
from supervisor.core.verdict import signal_name
from supervisor.daemons import health
from supervisor.engine import view, wishes
from supervisor.engine.rolling import Rolling
from supervisor.engine.time_limits import TimeLimits
from supervisor.engine.usage import Usage
from supervisor.model.rows import encode_rows
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.control.connection import Reply
    from supervisor.engine.engine import Engine

    Args = dict[str, Any]

DEFAULT_SETTLE_S = 10.0
HANDED_ON = ("started", "revision", "settings_problems", "ticks", "last_activity")
NAMED_TIMES = 3  # whoever asks for one service wants to know that it stays up, and can wait that much longer


class EngineVerbs:
    """What both daemons answer."""

    def __init__(self, role: str, engine: Engine, *, started: float, settle: float) -> None:
        self.role = role
        self.engine = engine
        self.usage = Usage(engine, nearby=role == "start")  # the few core services, which leave no child behind
        self.started = started
        self.settle_s = settle
        self.revision = ""
        self.settings_problems: list[str] = []  # errors in the files, for which something older or less is in force
        self.rolling = Rolling(engine, settle)
        self.time_limits = TimeLimits(engine)
        self.ticks = 0
        self.last_activity = started
        self.stopping = False

    def set_settle(self, settle: float) -> None:
        """How long one must live to count as up, from now on."""
        self.settle_s = self.rolling.settle = settle

    def table(self) -> dict[str, Callable[[Args, Reply], None]]:
        return {
            "ping": self.ping,
            "health": self.health,
            "status": self.status,
            "rows": self.rows,
            "start": self.start,
            "stop": self.stop,
            "restart": self.restart,
            "signal": self.signal,
            "settle": self.settle,
            "why": self.why,
        }

    # going over to the program that this process becomes

    def hand_on(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in HANDED_ON}

    def take_up(self, data: dict[str, Any]) -> None:
        for name in HANDED_ON:
            setattr(self, name, data[name])

    # looking

    def ping(self, _args: Args, reply: Reply) -> None:
        reply.send({"role": self.role, "pid": os.getpid(), "version": __version__, "revision": self.revision})

    def health(self, _args: Args, reply: Reply) -> None:
        """What only the daemon itself can tell of how safe it is, and all that was ever lost."""
        reply.send({"version": __version__, **health.of_this_process(), **self.more_health()})

    def more_health(self) -> dict[str, Any]:
        """What each daemon adds."""
        return {"counters": {}}

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
            "settle_s": self.settle_s,
            "settings_problems": self.settings_problems,
        }

    def state(self) -> str:
        if self.stopping:
            return "stopping"
        services = self.engine.services.values()
        wanted = [service.state.phase for service in services if service.state.want is Want.UP]
        if Phase.BACKOFF in wanted or Phase.FAILED in wanted or True in [service.degraded for service in services]:
            return "degraded"
        if Phase.STARTING in wanted or Phase.STOPPING in wanted:
            return "starting"
        return "degraded" if Phase.WAITING in wanted else "running"

    def status(self, _args: Args, reply: Reply) -> None:
        reply.send({"summary": self.summary(), "rows": view.rows(self.engine, self.usage.look())})

    def rows(self, _args: Args, reply: Reply) -> None:
        reply.raw(encode_rows(self.role, self.summary(), view.rows(self.engine, self.usage.look())))

    def why(self, args: Args, reply: Reply) -> None:
        names = self._names({"names": [args["name"]]}, also_removed=True)
        if len(names) > 1:
            raise Problem(f"{args['name']!r} are several services", remedy=f"one of {', '.join(names)}", code=USAGE)
        service = self.engine.services[names[0]]
        reply.send(view.why(self.engine, service, self.usage.look().get(service.name)))

    # asking

    def _names(self, args: Args, *, also_removed: bool = False) -> list[str]:
        """Those meant by each word, a plugin or a pattern too; all known, or nothing is done at all.

        `also_removed`: for what can still be asked about one that the settings no longer know.
        """
        services = self.engine.services
        plugins = {service.name: service.spec.plugin for service in services.values()}
        names: list[str] = []
        for word in args.get("names") or []:
            found = matching(word, plugins)
            staying = found if also_removed else [name for name in found if not services[name].is_removed]
            if not found:
                raise no_match(word) if is_pattern(word) and plugins else unknown_name(word, plugins)
            if not staying:
                raise _is_removed(found[0])
            names += staying
        return list(dict.fromkeys(names))

    def start(self, args: Args, reply: Reply) -> None:
        reply.send(wishes.start(self.engine, self._names(args)).as_dict())

    def stop(self, args: Args, reply: Reply) -> None:
        done = wishes.stop(self.engine, self._names(args, also_removed=True))
        timeout = args.get("timeout")
        if timeout is not None:
            self.time_limits.give((*done.accepted, *done.along), timeout)
        reply.send(done.as_dict())

    def restart(self, args: Args, reply: Reply) -> None:
        done = wishes.restart(self.engine, self._names(args), self.rolling, one_by_one=args.get("rolling"))
        reply.send(done.as_dict())

    def signal(self, args: Args, reply: Reply) -> None:
        """To the main process of each, or to all of its group; those that do not run are left out."""
        number, names = signal_number(args["signal"]), self._names(args, also_removed=True)
        up = [name for name in names if self.engine.services[name].state.has_process]
        if not up:
            what = f"{names[0]} does not run" if len(names) == 1 else f"none of {', '.join(names)} runs"
            raise Problem(what, remedy=f"sbctl start {names[0]}", code=FAILED)
        group = bool(args.get("group"))
        for name in up:
            self.engine.spawner.signal(self.engine.services[name].key, number, main=not group)
            whom = "its whole group" if group else f"pid {self.engine.services[name].pid}"
            self.engine.tell("service.signalled", name, f"{signal_name(number)} sent to {whom}")
        reply.send({"accepted": up, "already": []})

    def settle(self, args: Args, reply: Reply) -> None:
        names = None if args.get("names") is None else self._names(args, also_removed=True)
        settle = self.settle_s if names is None else self.settle_s * NAMED_TIMES
        limit = args.get("timeout")

        def done(settled: bool) -> None:
            reply.send({"settled": settled, "rows": view.rows(self.engine)})

        waiting = view.Settling(self.engine, names, DEFAULT_SETTLE_S if limit is None else float(limit), settle, done)
        reply.on_closed(waiting.cancel)


def _is_removed(name: str) -> Problem:
    return Problem(
        f"{name} is being removed",
        why="the settings no longer have it, and it is on its way down",
        remedy="bring its plugin back, then sbctl reload",
        code=FAILED,
    )
