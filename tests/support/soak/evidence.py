"""What a checker is given: plain records of what was done to a home, and of what was seen. Times are wall clock."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

NEVER = math.inf


class Fault(NamedTuple):
    """Something that was done. It may have its effect from `begin` to `end`, surely from `settled` to `lift`."""

    kind: str
    target: str
    begin: float
    settled: float = NEVER
    lift: float = -NEVER
    end: float = NEVER
    data: dict[str, Any] = {}  # noqa: RUF012 (nobody changes it)


class Rule(NamedTuple):
    """When a schedule is due, reckoned without the product."""

    every: int = 0  # seconds, from the anchor on
    seconds: tuple[int, ...] = ()  # of each minute
    minutes: tuple[str, ...] = ()  # of the day, HH:MM in UTC
    after: str = ""  # the end of another schedule

    def times(self, first: float, last: float, anchor: int) -> list[int]:
        begin, end = math.ceil(first), math.floor(last)
        if self.every:
            begin = max(begin, anchor)
            return list(range(begin + (anchor - begin) % self.every, end + 1, self.every))
        if self.seconds:
            return [at for at in range(begin, end + 1) if at % 60 in self.seconds]
        days = [int(text[:2]) * 3600 + int(text[3:]) * 60 for text in self.minutes]
        return [at for at in range(begin + -begin % 60, end + 1, 60) if at % 86400 in days]


class Definition(NamedTuple):
    """A rule, with the same four times as a fault."""

    rule: Rule
    begin: float
    settled: float
    lift: float = NEVER
    end: float = NEVER


class Job(NamedTuple):
    """One schedule, and what its settings allow."""

    name: str
    definitions: tuple[Definition, ...]
    anchor: int = 0
    grace: float = 60.0
    missed: str = "latest"
    overlap: str = "skip"
    group: str = ""
    time_limit: float = 0.0
    rerun: bool = False
    ledger_required: bool = False


class Server(NamedTuple):
    """One service: the log that each of its streams goes to."""

    name: str
    err_apart: bool = False


class Life(NamedTuple):
    """One process of a service, by its own account, which outlives a SIGKILL."""

    service: str
    key: str
    pid: int
    ticks: int  # when it was started, by the kernel's count: with the pid that is one process
    began: float
    last: float  # when it wrote its last line
    out: int = 0  # lines that it has written
    err: int = 0
    code: int | None = None  # with which it was about to end by itself

    @property
    def name(self) -> str:
        return f"{self.pid}-{self.ticks}"


class Execution(NamedTuple):
    """One try of a step, by its own account."""

    schedule: str
    run: str
    nominal: int | None
    step: str
    attempt: int
    trigger: str
    pid: int
    began: float
    ended: float | None = None
    code: int | None = None


class Sample(NamedTuple):
    """One look at the processes."""

    at: float
    mains: dict[str, tuple[str, ...]]  # by service: the lives that were there at once
    memory: dict[str, tuple[int, int]]  # by daemon: pid, KiB of its own


@dataclass
class Evidence:
    """All of one soak."""

    began: float
    until: float  # what was due later is not judged
    servers: dict[str, Server] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    lines: dict[tuple[str, str], Iterable[bytes]] = field(default_factory=dict)  # by service and log, oldest first
    executions: list[Execution] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    slots: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    down: dict[str, str] = field(default_factory=dict)  # services that were not up again at the end, with their row
    left: list[str] = field(default_factory=list)  # processes that were there after the stop
    tracebacks: list[str] = field(default_factory=list)  # in what the daemons have printed


class Violation(NamedTuple):
    """A promise that was not kept."""

    rule: str
    who: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.who}: {self.text}"
