"""The keys of a plugin's server; in the manifest under `server` and in the scheduler file under `servers`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from supervisor.settings.check_keys import Alive, Ready
from supervisor.settings.commands import CommandKey
from supervisor.settings.limit_keys import Limits
from supervisor.settings.order_keys import Requirement, ServiceName, WaitFor
from supervisor.settings.policy_keys import ServicePolicy
from supervisor.settings.shape import Exit, ExitCode, OneOf, RestartWord, Seconds, Shape, SignalName, wrong

MAX_INSTANCES = 100


class Signal(Shape):
    """One of several signals in turn."""

    signal: SignalName = Field(description="the signal")
    seconds: Seconds | None = Field(None, description="until the next one, or from the last one to SIGKILL")


class Stop(OneOf):
    """How a server is asked to end."""

    ONE_OF: ClassVar[tuple[str, ...]] = ("signal", "signals")

    signal: SignalName | None = Field(None, description="the signal, TERM if not given")
    signals: Annotated[list[Signal], Field(min_length=1, max_length=20)] | None = Field(
        None, description="several in turn, for as long as it is there; the seconds of the last are the grace"
    )
    grace_seconds: Seconds | None = Field(None, description="from the (last) signal to SIGKILL")
    command: CommandKey | None = Field(None, description="runs before the first signal, to ask in another way")
    command_seconds: Seconds | None = Field(None, description="its time limit; 10 if not given")

    @model_validator(mode="after")
    def _has_one_grace(self) -> Self:
        signals = self.signals or []
        if any(each.seconds is None for each in signals[:-1]):
            raise wrong("a signal before the last one has no seconds", "say how long to wait until the next one")
        if signals and signals[-1].seconds is not None and self.grace_seconds is not None:
            raise wrong("graceSeconds contradicts the seconds of the last signal", "keep one of the two")
        return self


class Reload(OneOf):
    """How a server is asked to read its settings again: by exactly one of these."""

    ONE_OF: ClassVar[tuple[str, ...]] = ("signal", "command")

    signal: SignalName | None = Field(None, description="a signal, mostly HUP")
    command: CommandKey | None = Field(None, description="a command")


class CommandKeys(Shape):
    """A command beside the server."""

    command: CommandKey | None = Field(None, description="the command; must be given in one of the two files")
    timeout_seconds: Seconds = Field(60.0, description="then it is ended, and counts as failed")


def _command(value: Any) -> Any:
    return {"command": value} if isinstance(value, str | list) else value


Command = Annotated[CommandKeys, BeforeValidator(_command, json_schema_input_type=str | list[str] | CommandKeys)]


class LogKeys(Shape):
    """Where the output of a server goes."""

    sink: Literal["file", "syslog", "none"] | None = Field(
        None, description="its file (if not given), the file and a copy to syslog, or nowhere"
    )
    stderr: Literal["together", "separate"] | None = Field(
        None, description="in the same file as stdout (if not given), or in `server.err.log`"
    )
    max_mb: Annotated[float, Field(gt=0, le=100_000)] | None = Field(None, description="as in logs")
    keep: Annotated[int, Field(ge=1, le=1000)] | None = Field(None, description="as in logs")
    max_age_hours: Annotated[float, Field(ge=0, le=24 * 366)] | None = Field(None, description="as in logs")
    budget_mb: Annotated[float, Field(ge=0, le=1e9)] | None = Field(None, description="as in logs")


SINKS = ("file", "syslog", "none")


def _log(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    if value not in SINKS:
        raise wrong("must be file, syslog or none, or a map", 'write "none", or {"sink": "none"}')
    return {"sink": value}


Log = Annotated[LogKeys, BeforeValidator(_log, json_schema_input_type=Literal["file", "syslog", "none"] | LogKeys)]


class ServerPolicy(ServicePolicy):
    """How a plugin's server is kept."""

    auto_start: bool | None = Field(None, description="start it with sbctl; false if not given")
    instances: Annotated[int, Field(ge=1, le=MAX_INSTANCES)] | None = Field(
        None, description="so many of it, as `NAME:1`, `NAME:2`, ...; each finds its number in SB_INSTANCE"
    )
    restart: RestartWord | None = Field(None, description="which ends are answered by a new start; always if not given")
    exit_codes: list[Exit] | None = Field(
        None, description="exit codes and signals that are no failure; [0] if not given"
    )
    no_restart_codes: list[ExitCode] | None = Field(None, description="exit codes after which nothing is tried again")
    ready: Ready | None = Field(None, description="when it is up; without it, as soon as it has been started")
    alive: Alive | None = Field(None, description="whether it is still well")
    watchdog_seconds: Seconds | None = Field(
        None, description="it must say WATCHDOG=1 (sd_notify) within each such time; finds it in WATCHDOG_USEC"
    )
    requires: Annotated[list[Requirement], Field(max_length=1000)] | None = Field(
        None, description="servers that must be there before; it waits for them, and stops when they stop"
    )
    after: Annotated[list[ServiceName], Field(max_length=1000)] | None = Field(
        None, description="servers that it is started behind and stopped before, if they are started at all"
    )
    wait_for: WaitFor | None = Field(None, description="what else must be so before it is started")
    before: Command | None = Field(
        None, description="runs before each start, which fails with it: a command, or a map with a time limit"
    )
    after_end: Command | None = Field(None, description="runs after each end: a command, or a map with a time limit")
    stop: Stop | None = Field(None, description="how it is asked to end")
    reload: Reload | None = Field(None, description="what `sbctl reload NAME` does")
    limits: Limits | None = Field(None, description="what it may take")
    external: Literal["wait", "ignore"] | None = Field(
        None,
        description="the same program runs already, started by somebody else: `wait` for its end (if not given), or "
        "`ignore` it",
    )
    log: Log | None = Field(None, description="where its output goes: `file`, `syslog`, `none`, or a map")
