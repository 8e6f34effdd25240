"""Which homes there are: by the processes that run as `start`, and by what was started before."""

from __future__ import annotations

import os

from supervisor.base import proc
from supervisor.base.errors import NOT_RUNNING, Problem
from supervisor.cli import known_homes, quick
from supervisor.cli.compiling import read_compiled
from supervisor.cli.home import sign_of_home
from supervisor.control.client import connect
from supervisor.model.home import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TITLE = b"sbctl: start "
PATIENCE_S = 1.0


class Found:
    """One home as it is now."""

    __slots__ = ("path", "pid", "port", "state", "version")

    def __init__(self, path: str, state: str, *, pid: int | None = None, port: int = 0, version: str = "") -> None:
        self.path = path
        self.state = state  # as of `status`; "dead": killed, its PID file is left; "gone": the folder is no home
        self.pid = pid
        self.port = port  # of the config server; 0: it has none, or none yet
        self.version = version  # of what runs

    @property
    def stale(self) -> bool:
        """It is only remembered, or only left over: nothing runs there, though something says so."""
        return self.state in ("gone", "dead")

    def as_dict(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "state": self.state,
            "pid": self.pid,
            "port": self.port or None,
            "version": self.version or None,
            "stale": self.stale,
        }


def find_homes() -> list[Found]:
    """Running ones first, then by path."""
    paths = dict.fromkeys([*running_homes(), *known_homes.known()])
    return sorted((_look_at(path) for path in paths), key=lambda home: (home.pid is None, home.path))


def running_homes() -> list[str]:
    """Homes that a process of ours says it is the `start` of; whether that is true its lock tells."""
    user = os.geteuid()
    paths = {_named_by(pid) for pid in proc.all_pids() if proc.user_of(pid) == user}
    return sorted(path for path in paths if path and os.path.isdir(path))


def _named_by(pid: int) -> str:
    """By its title, or by the command line that it has before it gives itself that title."""
    words = proc.words_of(pid)
    if not words:
        return ""
    if words[0].startswith(TITLE):
        return os.fsdecode(words[0].removeprefix(TITLE).rstrip(b"\0 "))
    for at in range(1, min(len(words) - 2, 8)):
        if words[at : at + 2] == [b"--role", b"start"]:
            return os.fsdecode(words[at + 2])
    return ""


def _look_at(path: str) -> Found:
    home = Home(path)
    if not os.path.isdir(home.etc) and not sign_of_home(path):
        return Found(path, "gone")
    pid = quick.lock_holder(home)
    try:
        found = quick.snapshot(home)
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            return Found(path, "unknown", pid=pid, port=_port(home))
        if pid is not None:
            return Found(path, "starting", pid=pid, port=_port(home))
        return Found(path, "dead" if os.path.exists(home.pid_file("start")) else "stopped")
    return Found(path, found.state, pid=int(found.head.pid), port=_port(home), version=_version(home, found.head.role))


def _version(home: Home, role: str) -> str:
    try:
        with connect(home, role, PATIENCE_S) as client:
            return str(client.request("ping", limit=PATIENCE_S)["version"])
    except (Problem, KeyError):
        return ""


def _port(home: Home) -> int:
    """Of the config server: what the settings say, else the free one that it has taken."""
    if not os.path.exists(home.pid_file("config")):
        return 0
    compiled = read_compiled(home, "start") or {}
    port = compiled.get("port")
    return port if isinstance(port, int) and port else read_port(home.port_file)


def read_port(path: str) -> int:
    from supervisor.base.files import read_pid_file  # the same form: a number and a line end

    port = read_pid_file(path) or 0
    return port if port < 1 << 16 else 0
