"""What unit tests put in place of the clock and the spawner: time moves when a test says so, processes never exist."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from supervisor.base.loop import Loop
from supervisor.engine.engine import Engine
from supervisor.engine.entries import Ends
from supervisor.engine.outlet import PipeOutlet, Pumps
from supervisor.model.event import Event
from supervisor.model.service import Launch, Policy, Spec


class FakeClock:
    """Both clocks, standing still."""

    def __init__(self) -> None:
        self.time = 1000.0

    def boot(self) -> float:
        return self.now()

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return 1_700_000_000.0 + self.time


def raise_it(error: BaseException) -> None:
    """For a loop whose callbacks must not fail."""
    raise error


class FakeLoop(Loop):
    """The real loop on the fake clock."""

    def __init__(self) -> None:
        self.fake = FakeClock()
        super().__init__(self.fake, raise_it)

    def pass_time(self, seconds: float) -> None:
        """From timer to timer, each at its own time, as far as that goes."""
        end = self.fake.time + seconds
        self.run_soon()
        while (due := self.next_due()) is not None and due <= end:
            self.fake.time = max(self.fake.time, due)
            self.run_soon()
        self.fake.time = end
        self.run_soon()

    def next_due(self) -> float | None:
        due = [due for due, _, timer in self._timers if timer.call is not None]
        return min(due) if due else None

    def run_soon(self) -> None:
        """Everything that is ready now."""
        self.turn(0)
        while self._soon:
            self.turn(0)


class FakeSpawner:
    """Notes what it is asked for; answers only when the test does."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.notes: dict[str, dict[str, Any] | None] = {}
        self.adopted: list[str] = []

    def spawn(self, key: str, launch: Launch, *, replaces: str, ends: Ends, stop: Any) -> None:
        ends.close_given()
        self.asked.append(("spawn", key, replaces))

    def signal(self, key: str, number: int, *, main: bool = False) -> None:
        self.asked.append(("signal", key, number, "main") if main else ("signal", key, number))

    def drop(self, key: str) -> None:
        self.asked.append(("drop", key))

    def note(self, name: str, blob: dict[str, Any] | None) -> None:
        self.notes[name] = blob

    note_with_next = note

    def keep(self, key: str, name: str, fd: int, then: Callable[[bool], None]) -> None:
        self.asked.append(("keep", key, name))

    def let_go(self, key: str, name: str) -> None:
        self.asked.append(("let_go", key, name))

    def adopt(self, key: str, pid: int, started: int) -> None:
        self.adopted.append(key)

    def spawns(self) -> list[str]:
        return [words[1] for words in self.asked if words[0] == "spawn"]

    def take(self) -> list[tuple[Any, ...]]:
        """What was asked since the last look."""
        asked, self.asked = self.asked, []
        return asked


class NoOutlet:
    """Services without output."""

    def open(self, name: str, launch: Launch) -> tuple[Ends, Pumps]:
        return Ends(), Pumps()

    def resume(self, name: str, launch: Launch, out_fd: int, err_fd: int = -1) -> Pumps:
        return PipeOutlet(FakeLoop()).resume(name, launch, out_fd, err_fd)


class FakeWorld:
    """An engine with nothing real around it."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.events: list[Event] = []
        self.engine = Engine(self.loop, self.events.append, NoOutlet())
        self.spawner = FakeSpawner()
        self.engine.spawner = self.spawner  # type: ignore[assignment]

    def kinds(self, name: str = "") -> list[str]:
        return [event.kind for event in self.events if name in ("", event.service)]

    def phase(self, name: str) -> str:
        return self.engine.services[name].state.phase.value


def spec(name: str = "server", *, auto_start: bool = True, **policy: Any) -> Spec:
    launch = Launch(argv=("true",), cwd="/", log=os.devnull)
    return Spec(name=name, kind="plugin", launch=launch, policy=Policy(**policy), auto_start=auto_start)
