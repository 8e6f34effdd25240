"""etc/sbctl.yaml."""

from __future__ import annotations

import ipaddress
import zoneinfo
from typing import Annotated

from pydantic import AfterValidator, Field

from supervisor.settings.commands import CommandKey
from supervisor.settings.policy_keys import CorePolicy, Supervision
from supervisor.settings.shape import FORMAT, Format, Shape, wrong

MIB = 1 << 20


def _check_loopback(host: str) -> str:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise wrong("the config server listens on this machine only", "write 127.0.0.1; a tunnel makes it reachable")
    return host


def _check_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise wrong("not a time zone that is known here", "write a name like UTC or Europe/Berlin") from None
    return name


class ConfigServer(Shape):
    """The config server (REST and pages)."""

    enabled: bool = Field(True, description="run it")
    host: Annotated[str, AfterValidator(_check_loopback)] = Field("127.0.0.1", description="a loopback address")
    port: int = Field(3456, ge=1, le=65_535, description="its TCP port")


class Tunnel(Shape):
    """The tunnel. It runs when it is enabled and has a command."""

    enabled: bool = Field(False, description="run it")
    command: CommandKey | None = Field(None, description="what makes the tunnel: a text or a list of words")


class Logs(Shape):
    """Sizes of the log files."""

    max_mb: float = Field(10.0, gt=0, le=100_000, description="a server's log is rotated at this many MiB")
    keep: int = Field(5, ge=1, le=1000, description="how many rotated files of a server are kept")
    daily_lines_per_second: float = Field(200.0, gt=0, le=1e6, description="what of one server goes to the daily log")
    daily_mb_per_minute: float = Field(1.0, gt=0, le=1e5, description="... and how many MiB a minute")

    @property
    def max_bytes(self) -> int:
        return max(1, int(self.max_mb * MIB))

    @property
    def daily_bytes_per_minute(self) -> int:
        return max(1, int(self.daily_mb_per_minute * MIB))


class Core(Shape):
    """Exceptions from `supervision` for the core services."""

    config: CorePolicy = Field(CorePolicy(), description="for the config server")
    scheduler: CorePolicy = Field(CorePolicy(), description="for the scheduler")
    tunnel: CorePolicy = Field(CorePolicy(), description="for the tunnel")


class SbctlFile(Shape):
    """Everything in etc/sbctl.yaml; each key may be left out."""

    format: Format = Field(FORMAT, description="the format of this file")
    timezone: Annotated[str, AfterValidator(_check_zone)] | None = Field(
        None, description="a name like Europe/Berlin; the zone of the machine if not given"
    )
    config: ConfigServer = Field(ConfigServer(), description="the config server")
    tunnel: Tunnel = Field(Tunnel(), description="the tunnel")
    logs: Logs = Field(Logs(), description="sizes of the log files")
    supervision: Supervision = Field(Supervision(), description="the defaults for every service")
    core: Core = Field(Core(), description="exceptions for the core services")
