"""The keys that say how to find out whether a server is ready, and whether it is still well."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from supervisor.settings.addresses import http_address, status_range, tcp_address
from supervisor.settings.commands import CommandKey
from supervisor.settings.shape import Count, OneOf, Seconds, Shape, ZeroSeconds, wrong

PORT_LIMIT = 65_535


def _check_http(value: Any) -> Any:
    if isinstance(value, str):
        http_address(value)
        return value
    raise wrong("must be an address as text", 'write ":8080/healthz" for a port of this machine')


def _check_tcp(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise wrong("must be a port or an address", 'write 8080, "127.0.0.1:8080" or "unix:/path.sock"')
    if isinstance(value, int) and not 0 < value <= PORT_LIMIT:
        raise wrong(f"must be a port from 1 to {PORT_LIMIT}", "correct the number")
    tcp_address(value)
    return value


def _check_statuses(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise wrong("must be a status or a range of them", 'write 204 or "200-399"')
    status_range(value)
    return value


def _check_line(value: Any) -> Any:
    if not isinstance(value, str) or not value.strip() or len(value) > 1000 or not value.isprintable():
        raise wrong("must be a text of one line, at most 1000 letters", "write words of its output")
    return value


def _check_true(value: Any) -> Any:
    if value is not True:
        raise wrong("must be true", "write true, or remove the key")
    return value


Http = Annotated[str, BeforeValidator(_check_http)]
Tcp = Annotated[str | int, BeforeValidator(_check_tcp, json_schema_input_type=str | int)]
Statuses = Annotated[str | int, BeforeValidator(_check_statuses, json_schema_input_type=str | int)]
Line = Annotated[str, BeforeValidator(_check_line)]
Yes = Annotated[Literal[True], BeforeValidator(_check_true)]


class Probe(OneOf):
    """What both kinds of checks have in common."""

    ONE_OF: ClassVar[tuple[str, ...]] = ("http", "tcp", "exec")

    http: Http | None = Field(
        None,
        description="GET answers with one of `statuses`: `:8080/healthz`, `http://HOST:PORT/PATH`, `https://...` or "
        "`unix:PATH:/healthz`; `localhost` is taken for 127.0.0.1",
    )
    tcp: Tcp | None = Field(None, description="a connection is taken: a port, `HOST:PORT` or `unix:PATH`")
    exec: CommandKey | None = Field(None, description="a command ends with exit code 0")
    statuses: Statuses | None = Field(None, description="of http: one status or a range; `200-399` if not given")
    successes: Count | None = Field(None, description="so many in a row count; 1 if not given")
    grace_seconds: ZeroSeconds | None = Field(None, description="nothing is asked before; 0 if not given")


class Ready(Probe):
    """When a server is up: exactly one of http, tcp, exec, log and notify."""

    ONE_OF: ClassVar[tuple[str, ...]] = (*Probe.ONE_OF, "log", "notify")

    log: Line | None = Field(None, description="a line of its output holds this text (no pattern)")
    notify: Yes | None = Field(None, description="it says READY=1 itself, by the protocol of sd_notify")
    interval_seconds: Seconds | None = Field(None, description="the longest time between two tries; 0.5 if not given")
    timeout_seconds: Seconds | None = Field(None, description="of one try; 1 if not given")


class Alive(Probe):
    """Whether a server that is up is still well: exactly one of http, tcp and exec."""

    interval_seconds: Seconds | None = Field(None, description="from one try to the next; 10 if not given")
    timeout_seconds: Seconds | None = Field(None, description="of one try; 5 if not given")
    failures: Count | None = Field(None, description="so many in a row, and it is not well; 3 if not given")
    on_failure: Literal["restart", "degrade"] | None = Field(
        None, description="what follows: `restart` (if not given), or it is kept running and shown as degraded"
    )


def _switched(value: Any) -> Any:
    return {"enabled": value} if isinstance(value, bool) else value


class CoreAliveKeys(Shape):
    """Whether the config server still answers."""

    enabled: bool = Field(True, description="ask it at all")
    interval_seconds: Seconds = Field(30.0, description="from one try to the next")
    timeout_seconds: Seconds = Field(5.0, description="of one try")
    failures: Count = Field(3, description="so many in a row, and it is restarted")


CoreAlive = Annotated[CoreAliveKeys, BeforeValidator(_switched, json_schema_input_type=CoreAliveKeys | bool)]
