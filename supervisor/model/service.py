"""What a service is: the resolved record that the compiler writes and the daemons read.

Everything that a person may leave out has been filled in by `supervisor.settings`; a daemon neither
defaults nor validates. Field for field the same in JSON (snake_case).
"""

from __future__ import annotations

import enum

from supervisor.model.check import Check
from supervisor.model.launch import Launch, User
from supervisor.model.limits import WatchedLimits
from supervisor.model.order import Order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    StopRule = tuple[int, float]  # a signal, and the seconds until SIGKILL

__all__ = ["Check", "Launch", "Order", "Policy", "Restart", "Spec", "User", "WatchedLimits"]

CORE_NAMES = ("config", "scheduler", "tunnel")
SELF_NAME = "start"
PROVIDER_NAME = "provider"  # what the tunnel keeps running


class Phase(enum.StrEnum):
    """What a service is doing."""

    STOPPED = "stopped"
    WAITING = "waiting"  # wanted up, and something must come first
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    FAILED = "failed"
    EXTERNAL = "external"  # the same program runs already, started by somebody else


class Want(enum.StrEnum):
    """What a person or the settings want it to be."""

    UP = "up"
    DOWN = "down"


class Restart(enum.StrEnum):
    """Which ends are answered by a new start."""

    ALWAYS = "always"
    ON_FAILURE = "on-failure"
    NEVER = "never"


_TUPLES = ("delays", "exit_codes", "exit_signals", "no_restart_codes")


class Policy:
    """When to try again and when to give up. All numbers are settings; seconds unless said."""

    __slots__ = (
        "after_end", "before", "delays", "exit_codes", "exit_signals", "fast_crash", "gated", "give_up", "grace",
        "jitter", "look_outside", "no_restart_codes", "restart", "retry_failed", "start_timeout", "stop_command",
        "stop_first", "stop_signal", "wait_ready", "wait_timeout", "window", "window_deaths", "window_delay",
    )  # fmt: skip

    def __init__(
        self,
        *,
        restart: Restart = Restart.ALWAYS,
        exit_codes: tuple[int, ...] = (0,),
        exit_signals: tuple[int, ...] = (),
        no_restart_codes: tuple[int, ...] = (),
        fast_crash: float = 10.0,
        delays: tuple[float, ...] = (5.0, 10.0, 20.0, 40.0),
        jitter: float = 0.0,
        give_up: int = 5,
        retry_failed: float = 0.0,
        window: float = 3600.0,
        window_deaths: int = 30,
        window_delay: float = 300.0,
        stop_command: float = 0.0,
        stop_first: tuple[tuple[int, float], ...] = (),
        stop_signal: int = 15,
        grace: float = 10.0,
        after_end: float = 0.0,
        gated: bool = False,
        look_outside: bool = False,
        wait_timeout: float = 0.0,
        before: float = 0.0,
        wait_ready: bool = False,
        start_timeout: float = 60.0,
    ) -> None:
        self.restart = restart  # which ends are answered by a new start
        self.exit_codes = exit_codes  # exits that are no failure
        self.exit_signals = exit_signals  # ... and signals
        self.no_restart_codes = no_restart_codes  # failures after which nothing is tried again
        self.fast_crash = fast_crash  # an exit sooner than this is a fast crash
        self.delays = delays  # after the first, second, ... fast crash in a row; the last repeats
        self.jitter = jitter  # each delay is longer by up to this share of it
        self.give_up = give_up  # this many fast crashes in a row: failed
        self.retry_failed = retry_failed  # ... and one more try so much later; 0: none
        self.window = window  # deaths of any age are counted in this window ...
        self.window_deaths = window_deaths  # ... and from this many on ...
        self.window_delay = window_delay  # ... restarts come this slowly
        self.stop_command = stop_command  # time limit of the command that asks it to stop; 0: there is none
        self.stop_first = stop_first  # signals before the last one, each with the seconds until the next
        self.stop_signal = stop_signal
        self.grace = grace  # from the (last) stop signal to SIGKILL
        self.after_end = after_end  # time limit of the command that runs after each end; 0: there is none
        self.gated = gated  # something must be so before each start (see `Spec.order`)
        self.look_outside = look_outside  # is it running already, started by somebody else?
        self.wait_timeout = wait_timeout  # how long it may wait for that; 0: for ever, with one warning
        self.before = before  # time limit of the command that runs before each start; 0: there is none
        self.wait_ready = wait_ready  # it is not up before it is ready
        self.start_timeout = start_timeout  # ... and has this long for it

    @property
    def stop(self) -> StopRule:
        """In one line: the first signal, and the time until SIGKILL that all of them together have."""
        first = self.stop_first[0][0] if self.stop_first else self.stop_signal
        return first, self.stop_time

    @property
    def stop_signals(self) -> tuple[int, ...]:
        return *(number for number, _ in self.stop_first), self.stop_signal

    @property
    def stop_time(self) -> float:
        """The longest that a stop can take before SIGKILL."""
        return self.stop_command + sum(seconds for _, seconds in self.stop_first) + self.grace

    def as_dict(self) -> dict[str, Any]:
        data = {name: getattr(self, name) for name in self.__slots__}
        data["restart"] = self.restart.value
        for name in _TUPLES:
            data[name] = list(data[name])
        data["stop_first"] = [list(pair) for pair in self.stop_first]
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Policy:
        values = dict(data)
        values["restart"] = Restart(values["restart"])
        for name in _TUPLES:
            values[name] = tuple(values[name])
        values["stop_first"] = tuple((pair[0], pair[1]) for pair in values["stop_first"])
        return cls(**values)


BEFORE = "before"  # the commands of a service beside its own: before each start ...
STOP = "stop"  # ... to ask it to stop ...
AFTER_END = "afterEnd"  # ... after each end ...
RELOAD = "reload"  # ... and to make it read its settings again


class Spec:
    """One service: its name, how it is started, when it is started again, and what it stands in relation to."""

    __slots__ = (
        "alive", "auto_start", "commands", "critical", "description", "instance", "kind", "launch", "limits", "name",
        "order", "pid_file", "plugin", "policy", "ready", "reload_signal", "watchdog",
    )  # fmt: skip

    def __init__(
        self,
        *,
        name: str,
        kind: str,
        launch: Launch,
        policy: Policy,
        auto_start: bool = True,
        critical: bool = False,
        pid_file: str = "",
        description: str = "",
        plugin: str = "",
        instance: int = 0,
        ready: Check | None = None,
        alive: Check | None = None,
        watchdog: float = 0.0,
        order: Order | None = None,
        limits: WatchedLimits | None = None,
        commands: dict[str, tuple[str, ...]] | None = None,
        reload_signal: int = 0,
    ) -> None:
        self.name = name  # the bare id; with instances "web:1", "web:2", ...
        self.kind = kind  # "core" or "plugin"
        self.launch = launch
        self.policy = policy
        self.auto_start = auto_start
        self.critical = critical  # when it ends for good, everything does
        self.pid_file = pid_file  # absolute; written when spawned, removed at exit; "" = writes its own
        self.description = description
        self.plugin = plugin or name  # whose server it is
        self.instance = instance  # 1, 2, ...; 0: there is only one
        self.ready = ready  # None: it is up when it has been spawned (or, a core service, says so over its channel)
        self.alive = alive
        self.watchdog = watchdog  # seconds within which it must give a sign of life, again and again; 0: not asked for
        self.order = order or Order()
        self.limits = limits or WatchedLimits()
        self.commands = commands or {}  # BEFORE, STOP, AFTER_END, RELOAD: argv
        self.reload_signal = reload_signal  # what makes it read its settings again; 0: nothing does

    def as_dict(self) -> dict[str, Any]:
        data = {name: getattr(self, name) for name in self.__slots__}
        data["launch"] = self.launch.as_dict()
        data["policy"] = self.policy.as_dict()
        data["ready"] = self.ready.as_dict() if self.ready else None
        data["alive"] = self.alive.as_dict() if self.alive else None
        data["order"] = self.order.as_dict()
        data["limits"] = self.limits.as_dict()
        data["commands"] = {name: list(words) for name, words in self.commands.items()}
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any], shared: dict[Any, Any] | None = None) -> Spec:
        """`shared`: see `Launch`."""
        values = dict(data)
        values["launch"] = Launch.from_dict(values["launch"], shared)
        values["policy"] = Policy.from_dict(values["policy"])
        values["ready"] = Check.from_dict(values["ready"]) if values["ready"] else None
        values["alive"] = Check.from_dict(values["alive"]) if values["alive"] else None
        values["order"] = Order.from_dict(values["order"])
        values["limits"] = WatchedLimits.from_dict(values["limits"])
        values["commands"] = {name: tuple(words) for name, words in values["commands"].items()}
        return cls(**values)
