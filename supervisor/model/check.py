"""One probe of a service: how to find out whether it is ready, or still well."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HTTP = "http"
TCP = "tcp"
EXEC = "exec"
LOG = "log"  # only for readiness: a line of its output
NOTIFY = "notify"  # only for readiness: it says so itself, by the protocol of sd_notify

RESTART = "restart"  # what follows from a service that is not well any more ...
DEGRADE = "degrade"  # ... or it is kept running and shown as degraded


class Check:
    """What is asked, how often, and from when on the answer counts. Seconds unless said.

    `host` is a literal address of this machine's loopback, or "" when `socket` names a Unix socket. Whatever can't be
    asked without a name server, TLS or a route to elsewhere has been made an `exec` check by the compiler.
    """

    __slots__ = (
        "action", "argv", "failures", "grace", "host", "interval", "kind", "path", "port", "shown", "socket",
        "statuses", "successes", "text", "timeout",
    )  # fmt: skip

    def __init__(
        self,
        *,
        kind: str,
        shown: str,
        host: str = "",
        port: int = 0,
        socket: str = "",
        path: str = "/",
        statuses: tuple[int, int] = (200, 399),
        argv: tuple[str, ...] = (),
        text: str = "",
        interval: float = 10.0,
        timeout: float = 5.0,
        failures: int = 3,
        successes: int = 1,
        grace: float = 0.0,
        action: str = RESTART,
    ) -> None:
        self.kind = kind
        self.shown = shown  # for people: "http 127.0.0.1:8080/healthz"
        self.host = host
        self.port = port
        self.socket = socket  # absolute path of a Unix socket, or ""
        self.path = path  # what is asked for by GET
        self.statuses = statuses  # the first and the last status that is well
        self.argv = argv  # run as the service itself is: its folder, environment and user; exit 0 is well
        self.text = text  # a line of its output that holds this
        self.interval = interval  # from one start of the check to the next; never two at a time
        self.timeout = timeout  # for one check; then it is ended and counts as failed
        self.failures = failures  # so many in a row: not well
        self.successes = successes  # so many in a row: ready, or well again
        self.grace = grace  # after the start (`ready`) or after it was ready (`alive`): nothing is asked
        self.action = action  # RESTART or DEGRADE

    def named(self, port: int) -> str:
        """`shown`, with the port of one that has found it itself."""
        if self.port or self.socket or not port or self.kind not in (HTTP, TCP):
            return self.shown
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind} {host}:{port}{self.path if self.kind == HTTP else ''}"

    def as_dict(self) -> dict[str, Any]:
        data = {name: getattr(self, name) for name in self.__slots__}
        data["statuses"] = list(self.statuses)
        data["argv"] = list(self.argv)
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Check:
        values = dict(data)
        values["statuses"] = tuple(values["statuses"])
        values["argv"] = tuple(values["argv"])
        return cls(**values)
