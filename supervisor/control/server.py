"""The control socket of a daemon: who may connect, and how many.

The socket lies in a folder that only its owner can enter, has mode 0600, and each peer's user is asked of
the kernel: three locks, because through this door everything can be stopped.
"""

from __future__ import annotations

import _socket
import errno
import os
import sys

from supervisor.base import loop as loops
from supervisor.base.errors import NO_PERMISSION, Problem
from supervisor.base.files import remove_quietly, socket_address
from supervisor.base.wire import frame
from supervisor.control.connection import Connection, at_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.loop import Loop
    from supervisor.control.api import Handler
    from supervisor.control.connection import Reply

MAX_CONNECTIONS = 64
RETRY_ACCEPT_S = 0.1
RESERVED = 4  # descriptors, for clients of a daemon that has used up its own
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)

TOO_MANY = Problem(
    "too many control connections",
    why=f"{MAX_CONNECTIONS} are open",
    remedy="close some 'sbctl events -f' or 'sbctl status --watch'",
)


class ControlServer:
    """Listens from construction to `close`; each request goes to the handler of its verb."""

    def __init__(
        self,
        loop: Loop,
        folder: str,
        name: str,
        handlers: dict[str, Handler],
        listening: _socket.socket | None = None,
        when_said: Callable[[Callable[[], None]], None] = at_once,
    ) -> None:
        """`when_said`: see `Connection`."""
        self._loop = loop
        self._handlers = handlers
        self._when_said = when_said
        self._path = os.path.join(folder, name)
        self._connections: set[Connection] = set()
        self.dropped = 0  # clients let go because they did not read what they asked for
        self._sock = listening or _listen(folder, name)
        self._inode = os.stat(self._path).st_ino
        self._reserve: list[int] = []
        self._fill_reserve()
        loop.watch(self._sock.fileno(), loops.READ, self._accept)

    @property
    def connections(self) -> int:
        return len(self._connections)

    def _accept(self, _events: int) -> None:
        try:
            fd = self._accept_one()
        except OSError as error:
            if error.errno in NO_ROOM:
                # It stays in the queue and would wake the loop without end.
                self._loop.unwatch(self._sock.fileno())
                self._loop.after(RETRY_ACCEPT_S, self._accept_again)
            return
        if len(self._connections) >= MAX_CONNECTIONS:
            self._make_room()
        sock = _socket.socket(fileno=fd)
        problem = self._objection(sock)
        if problem is not None:
            _refuse(sock, problem)
            return
        self._connect(sock)

    def _connect(self, sock: _socket.socket) -> Connection:
        connection = Connection(sock, self._loop, self._handlers, self._forget, self._when_said)
        self._connections.add(connection)
        return connection

    def _accept_one(self) -> int:
        """From the reserve if need be: whoever asks what is wrong is answered just then."""
        try:
            return int(self._sock._accept()[0])  # type: ignore[attr-defined]  # accept() is made in `socket`, from this
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or not self._reserve:
                raise
        os.close(self._reserve.pop())
        return int(self._sock._accept()[0])  # type: ignore[attr-defined]

    def _fill_reserve(self) -> None:
        try:
            while len(self._reserve) < RESERVED:
                self._reserve.append(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            return

    def _make_room(self) -> None:
        """Of those that want nothing just now, the one that has been silent for longest is let go."""
        idle = [connection for connection in self._connections if connection.is_idle]
        if idle:
            min(idle, key=lambda connection: connection.used_at).refuse(TOO_MANY)

    def _accept_again(self) -> None:
        self._fill_reserve()
        if self._sock.fileno() >= 0:
            self._loop.watch(self._sock.fileno(), loops.READ, self._accept)

    def _objection(self, sock: _socket.socket) -> Problem | None:
        uid = peer_uid(sock)
        if uid not in (0, os.geteuid()):
            return Problem(
                "you may not control this",
                why=f"it belongs to user {os.geteuid()}, you are user {uid}",
                remedy="use sbctl as that user or as root",
                code=NO_PERMISSION,
            )
        if len(self._connections) >= MAX_CONNECTIONS:
            return TOO_MANY
        return None

    def _forget(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self.dropped += connection.dropped
        self._fill_reserve()

    # going over to the program that this process becomes

    def hand_on(self, asker: Reply) -> dict[str, Any]:
        connections = [connection.hand_on(asker) for connection in self._connections]
        return {"fd": self._sock.fileno(), "connections": connections}

    def take_up(self, connections: list[dict[str, Any]]) -> Reply | None:
        """Returns what the one is answered with who has asked for it, if it is still there."""
        asker: Reply | None = None
        for data in connections:
            asker = self._connect(_socket.socket(fileno=data["fd"])).take_up(data) or asker
        return asker

    def close(self) -> None:
        """Hang up on everybody and take the socket file away, if it is still ours."""
        if self._sock.fileno() < 0:
            return
        self._loop.unwatch(self._sock.fileno())
        self._sock.close()
        for connection in list(self._connections):
            connection.close()
        while self._reserve:
            os.close(self._reserve.pop())
        try:
            ours = os.stat(self._path).st_ino == self._inode
        except OSError:
            return
        if ours:
            remove_quietly(self._path)


def peer_uid(sock: _socket.socket) -> int:
    """The user at the other end when it connected, from the kernel (struct ucred: pid, uid, gid)."""
    credentials = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[4:8], sys.byteorder)


def _listen(folder: str, name: str) -> _socket.socket:
    """Bind beside the name and rename over it: a client finds the old socket or a listening one, never none."""
    os.makedirs(folder, 0o700, exist_ok=True)
    os.chmod(folder, 0o700)  # also when an older one was there with a wider mode
    folder_fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    kind = _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC
    sock = _socket.socket(_socket.AF_UNIX, kind)
    temp = f".{name}.{os.getpid()}"
    try:
        remove_quietly(os.path.join(folder, temp))
        sock.bind(socket_address(folder_fd, temp))
        os.chmod(temp, 0o600, dir_fd=folder_fd)
        sock.listen(MAX_CONNECTIONS)
        os.rename(temp, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
    except BaseException:
        sock.close()
        remove_quietly(os.path.join(folder, temp))
        raise
    finally:
        os.close(folder_fd)
    return sock


def _refuse(sock: _socket.socket, problem: Problem) -> None:
    """One frame that says why; whether it arrives is the peer's luck."""
    sock.setblocking(False)
    try:
        sock.send(frame({"ok": False, "error": problem.as_dict()}), _socket.MSG_NOSIGNAL)
    except OSError:
        pass
    sock.close()
