"""A daemon made of our own control server and a few lines of make-believe, for tests of those who ask.

`FakeDaemon` listens on a real socket, in a thread. `DirectClient` calls the same handlers without any
socket: what a test finds true of both is true of the protocol, not of the carrier.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from supervisor.base.clock import SystemClock, iso
from supervisor.base.errors import Problem
from supervisor.base.loop import Loop
from supervisor.base.wire import decode
from supervisor.control.api import check_arguments, unknown_name
from supervisor.control.server import ControlServer
from supervisor.core.names import matching
from supervisor.model.home import Home
from supervisor.model.rows import encode_rows
from support.fake_schedules import FakeSchedules

Message = dict[str, Any]
STARTED = 1_700_000_000.0
HEALTH: Message = {
    "version": "0.1.0",
    "started": 1,
    "subreaper": True,
    "parent_signal": 15,
    "parent_signals": {"scheduler": 15, "config": 15},
    "open_files": 20,
    "open_files_limit": 1024,
    "boot_id": "b",
    "cgroup": {"folder": "", "why": "this system has no cgroups of version 2"},
    "tick": {"number": 3, "at": None, "every_s": 60},
    "counters": {"journal_lost": 0},
}


def row(name: str, state: str = "running", **changes: Any) -> Message:
    """A status row with everything in it."""
    up = state in ("running", "starting", "stopping")
    base: Message = {
        "name": name,
        "kind": "core" if name in ("scheduler", "config", "tunnel") else "plugin",
        "state": state,
        "desired": "down" if state == "stopped" else "up",
        "pid": 4000 + sum(name.encode()) if up else None,
        "uptime_s": 3725.0 if up else None,
        "restarts": 0,
        "exit": None,
        "cause": None,
        "next_retry_at": None,
        "ready": None,
        "detail": "",
        "cpu_percent": 0.4 if up else None,
        "memory_bytes": 40_000_000 if up else None,
        "threads": 3 if up else None,
        "processes": 2 if up else None,
        "plugin": name.partition(":")[0],
        "instance": None,
    }
    return {**base, **changes}


class Fake:
    """The make-believe: services that obey at once."""

    def __init__(self, role: str, rows: list[Message], *, pid: int = 4242, stubborn: frozenset[str] = frozenset()):
        self.role = role
        self.pid = pid
        self.rows = {r["name"]: r for r in rows}
        self.stubborn = stubborn  # services that don't come up
        self.settings_problems: list[str] = []
        self.remarks: list[str] = []
        self.health: Message = {}  # what is to be told otherwise
        self.asked: list[Message] = []
        self.events: list[Message] = []
        self.changes: list[Message] = []
        self.readers: list[Any] = []
        self.disabled: set[str] = set()
        self.restarts = 0
        self.also: list[str] = []  # whom a start or stop takes along
        self.schedules = FakeSchedules(self.asked)
        self.on_shutdown: Callable[[], None] = lambda: None
        self.after_status: Callable[[], None] = lambda: None  # what happens once somebody has looked
        self.after_change: Callable[[], None] = lambda: None  # and once a start, stop or restart was asked for

    def handlers(self) -> dict[str, Any]:
        verbs = ["ping", "health", "status", "rows", "start", "stop", "restart", "settle", "why", "reload"]
        verbs += ["signal", "reload_service"]
        verbs += ["shutdown", "entries"] if self.role == "start" else ["events", "enable", "disable"]
        found = {verb: getattr(self, f"do_{verb}") for verb in verbs}
        return found if self.role == "start" else {**found, **self.schedules.handlers()}

    def summary(self) -> Message:
        return {
            "state": "running",
            "pid": self.pid,
            "started_at": iso(STARTED),
            "now": iso(STARTED + 7325),
            "last_activity_at": iso(STARTED + 7300),
            "ticks": 122,
            "revision": "0003",
            "settle_s": 0.3,
            "settings_problems": self.settings_problems,
            "remarks": self.remarks,
        }

    def do_ping(self, _args: Message, reply: Any) -> None:
        reply.send({"role": self.role, "pid": self.pid, "version": "0.1.0", "revision": "0001"})

    def do_health(self, _args: Message, reply: Any) -> None:
        reply.send({**HEALTH, "pid": self.pid, **self.health})

    def do_status(self, _args: Message, reply: Any) -> None:
        reply.send({"summary": self.summary(), "rows": list(self.rows.values())})
        self.after_status()

    def do_rows(self, _args: Message, reply: Any) -> None:
        head = {**self.summary(), "started": STARTED, "wall": STARTED + 7325}
        reply.raw(encode_rows(self.role, head, list(self.rows.values())))

    def do_entries(self, _args: Message, reply: Any) -> None:
        reply.send({"rows": [row("orphan", detail="unsupervised")]})

    def do_start(self, args: Message, reply: Any) -> None:
        self._change(args, reply, "running")

    def do_restart(self, args: Message, reply: Any) -> None:
        self.restarts += 1
        self._change(args, reply, "running")

    def do_stop(self, args: Message, reply: Any) -> None:
        self._change(args, reply, "stopped")

    def _names(self, args: Message) -> list[str]:
        """Written out, as the real ones do."""
        self.asked.append(args)
        names: list[str] = []
        for word in args["names"]:
            found = matching(word, {name: r["plugin"] for name, r in self.rows.items()})
            if not found:
                raise unknown_name(word, self.rows)
            names += found
        return names

    def do_signal(self, args: Message, reply: Any) -> None:
        reply.send({"accepted": [name for name in self._names(args) if self.rows[name]["pid"]]})

    def do_reload_service(self, args: Message, reply: Any) -> None:
        reply.send({"accepted": self._names(args)})

    def do_enable(self, args: Message, reply: Any) -> None:
        self._choose(args, reply, enabled=True)

    def do_disable(self, args: Message, reply: Any) -> None:
        self._choose(args, reply, enabled=False)

    def _choose(self, args: Message, reply: Any, *, enabled: bool) -> None:
        names = self._names(args)
        already = [name for name in names if (name not in self.disabled) is enabled]
        for name in names:
            (self.disabled.discard if enabled else self.disabled.add)(name)
            self._make(name, "running" if enabled else "stopped")
        accepted = [name for name in names if name not in already]
        reply.send({"accepted": accepted, "already": already, "with": self.also})

    def _make(self, name: str, state: str) -> None:
        seen = "backoff" if name in self.stubborn and state == "running" else state
        cause = "exit code 1" if seen == "backoff" else None
        self.rows[name] = row(name, seen, desired="down" if state == "stopped" else "up", cause=cause)
        if seen == "running":
            self.rows[name]["pid"] += self.restarts  # another process than before

    def _change(self, args: Message, reply: Any, state: str) -> None:
        names = self._names(args)
        already = [name for name in names if self.rows[name]["state"] == state]
        for name in names:
            self._make(name, state)
        accepted = [name for name in names if name not in already]
        reply.send({"accepted": accepted, "already": already, "with": self.also})
        self.after_change()

    def do_settle(self, args: Message, reply: Any) -> None:
        names = args.get("names")
        rows = [r for name, r in self.rows.items() if names is None or name in names]
        reply.send({"settled": True, "rows": rows})

    def do_why(self, args: Message, reply: Any) -> None:
        name = args["name"]
        if name not in self.rows:
            raise unknown_name(name, self.rows)
        words = ["Traceback:", "KeyError: 'url'"] if name in self.stubborn else []
        attempts = {"streak": 3, "give_up": 5, "deaths": 3, "window": 3600.0, "window_deaths": 30}
        reply.send({"row": self.rows[name], "attempts": attempts, "words": words, "events": [], "log": "logs/x"})

    def do_reload(self, args: Message, reply: Any) -> None:
        self.asked.append(args)
        reply.send({"changes": self.changes})

    def do_events(self, args: Message, reply: Any) -> None:
        for event in self.events:
            reply.stream({"event": event})
        if args.get("follow"):
            self.readers.append(reply)
        else:
            reply.end()

    def do_shutdown(self, args: Message, reply: Any) -> None:
        self.asked.append(args)
        reply.send({"accepted": True})
        self.on_shutdown()


class FakeDaemon:
    """A `Fake` on its socket, until the block ends."""

    def __init__(self, home: Home, role: str = "start", rows: list[Message] | None = None, **more: Any) -> None:
        self.errors: list[BaseException] = []
        self.fake = Fake(role, rows or [], **more)
        self.loop = Loop(SystemClock(), self.errors.append)
        self.server = ControlServer(self.loop, home.run, home.socket_name(role), self.fake.handlers())
        self.fake.on_shutdown = lambda: self.loop.after(0.02, self.server.close) and None
        self._going = True
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while self._going:
            self.loop.turn(0.005)

    def __enter__(self) -> FakeDaemon:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going = False
        self._thread.join()
        self.server.close()
        self.loop.close()


class DirectReply:
    """A reply that only collects."""

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.done = False

    def send(self, message: Message) -> None:
        self.frames.append({"ok": True, **message})
        self.done = True

    def raw(self, body: bytes) -> None:
        self.frames.append(body)
        self.done = True

    def fail(self, problem: Problem) -> None:
        raise problem

    def stream(self, message: Message) -> None:
        self.frames.append(message)

    def end(self) -> None:
        self.done = True


class DirectClient:
    """Asks handlers in this process, with the methods of the real client."""

    def __init__(self, fake: Fake) -> None:
        self._handlers = fake.handlers()

    def _ask(self, verb: str, args: Message) -> DirectReply:
        reply = DirectReply()
        check_arguments(verb, args)
        self._handlers[verb](args, reply)
        return reply

    def request(self, verb: str, *, limit: float = 5.0, **args: Any) -> Message:
        answer = self._ask(verb, args).frames[0]
        return answer if isinstance(answer, dict) else decode(answer)

    def raw(self, verb: str, *, limit: float = 5.0, **args: Any) -> bytes:
        answer = self._ask(verb, args).frames[0]
        assert isinstance(answer, bytes)
        return answer

    def stream(self, verb: str, *, limit: float = 5.0, **args: Any) -> Iterator[Message]:
        yield from self._ask(verb, args).frames
