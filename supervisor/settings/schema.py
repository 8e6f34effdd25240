"""etc/sbctl.yaml."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainSerializer, ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator

from supervisor.settings.commands import CommandKey
from supervisor.settings.policy_keys import ConfigPolicy, Supervision, WatchedPolicy
from supervisor.settings.shape import FORMAT, Format, Shape, wrong
from supervisor.settings.zone_names import zone_problem

MIB = 1 << 20
AUTO = "auto"  # 0 in what is compiled
HOUR_S = 3600.0


def _check_loopback(host: str) -> str:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise wrong("the config server listens on this machine only", "write 127.0.0.1; a tunnel makes it reachable")
    return host


def _check_zone(name: str) -> str:
    if problem := zone_problem(name):
        raise wrong(*problem)
    return name


def _port(value: Any, number: ValidatorFunctionWrapHandler) -> int:
    return 0 if value == AUTO else int(number(value))


_PORT = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 65_535}, {"enum": [AUTO]}]}
ConfigPort = Annotated[
    int,
    Field(ge=1, le=65_535),
    WrapValidator(_port),
    PlainSerializer(lambda port: port or AUTO, return_type=int | str),
    WithJsonSchema(_PORT),
]


class ConfigServer(Shape):
    """The config server (REST and pages)."""

    enabled: bool = Field(True, description="run it")
    host: Annotated[str, AfterValidator(_check_loopback)] = Field("127.0.0.1", description="a loopback address")
    port: ConfigPort = Field(3456, description="its TCP port; `auto`: a free one, the same each time if it can be")


class Tunnel(Shape):
    """The tunnel. It runs when it is enabled and has a command."""

    enabled: bool = Field(False, description="run it")
    command: CommandKey | None = Field(None, description="what makes the tunnel: a text or a list of words")


class Logs(Shape):
    """Sizes of the log files."""

    max_mb: float = Field(10.0, gt=0, le=100_000, description="a server's log is rotated at this many MiB")
    keep: int = Field(5, ge=1, le=1000, description="how many rotated files of a server are kept")
    max_age_hours: float = Field(0.0, ge=0, le=24 * 366, description="... or when it is so old; 0: only by size")
    keep_days: float = Field(0.0, ge=0, le=366 * 10, description="older rotated and daily files are removed; 0: none")
    gzip: bool = Field(True, description="pack rotated and daily files")
    budget_mb: float = Field(0.0, ge=0, le=1e9, description="MiB for all log files of one server; 0: no limit")
    total_budget_mb: float = Field(2048.0, ge=0, le=1e9, description="MiB for all of logs/; 0: no limit")
    daily_lines_per_second: float = Field(200.0, gt=0, le=1e6, description="what of one server goes to the daily log")
    daily_mb_per_minute: float = Field(1.0, gt=0, le=1e5, description="... and how many MiB a minute")

    @property
    def max_bytes(self) -> int:
        return max(1, int(self.max_mb * MIB))

    @property
    def daily_bytes_per_minute(self) -> int:
        return max(1, int(self.daily_mb_per_minute * MIB))


class History(Shape):
    """How long runs, and slots that did not run, are remembered."""

    keep_days: float = Field(90.0, gt=0, le=36_600, description="days that a run is kept")
    keep_runs: int = Field(1000, ge=1, le=10_000_000, description="so many runs of a schedule at most")
    keep_failed_days: float = Field(365.0, gt=0, le=36_600, description="days that a run is kept that has failed")


class Core(Shape):
    """Exceptions from `supervision` for the core services."""

    config: ConfigPolicy = Field(ConfigPolicy(), description="for the config server")
    scheduler: WatchedPolicy = Field(WatchedPolicy(), description="for the scheduler")
    tunnel: WatchedPolicy = Field(WatchedPolicy(), description="for the tunnel")


class SbctlFile(Shape):
    """Everything in etc/sbctl.yaml; each key may be left out."""

    format: Format = Field(FORMAT, description="the format of this file")
    timezone: Annotated[str, AfterValidator(_check_zone)] | None = Field(
        None, description="that of schedules, a name like Europe/Berlin; the zone of the machine if not given"
    )
    config: ConfigServer = Field(ConfigServer(), description="the config server")
    tunnel: Tunnel = Field(Tunnel(), description="the tunnel")
    logs: Logs = Field(Logs(), description="sizes of the log files")
    history: History = Field(History(), description="how long runs are remembered")
    supervision: Supervision = Field(Supervision(), description="the defaults for every service")
    core: Core = Field(Core(), description="exceptions for the core services")
