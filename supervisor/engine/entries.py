"""One process that was asked for, and whoever hears of its end."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from supervisor.model.cause import Cause
    from supervisor.model.service import Launch, StopRule

    class Listener(Protocol):
        """Whoever asked for a process hears of its end."""

        def exited(self, entry: Entry) -> None: ...
        def emptied(self, entry: Entry) -> None: ...


class Entry:
    """One process that was asked for, from its spawn until it is replaced or dropped."""

    __slots__ = (
        "cause", "empty", "escaped", "inode", "key", "launch", "listener", "pid", "pidfd", "read_fd",
        "signalled", "started", "status", "stop",
    )  # fmt: skip

    def __init__(self, key: str, launch: Launch, listener: Listener, read_fd: int, stop: StopRule) -> None:
        self.key = key
        self.launch = launch
        self.listener = listener
        self.read_fd = read_fd  # read end of its output pipe; -1: it writes to a file itself
        self.stop = stop
        self.pid = 0
        self.started = 0
        self.pidfd = -1
        self.inode = 0
        self.status: int | None = None  # wait status once reaped
        self.cause: Cause | None = None  # why it could not be spawned
        self.empty = False  # nobody of its group is left
        self.escaped: list[int] = []  # proven children of it outside the group
        self.signalled = 0  # the last signal it was sent; who is found to have escaped gets it too

    @property
    def name(self) -> str:
        return self.key.rpartition(".")[0]

    @property
    def running(self) -> bool:
        return self.pid > 0 and self.status is None
