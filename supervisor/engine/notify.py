"""What a service says of itself, by the protocol of sd_notify: READY, STATUS, WATCHDOG, EXTEND_TIMEOUT_USEC.

Each process has a datagram socket of its own, named in its NOTIFY_SOCKET. `start` keeps that socket as it keeps the
pipes, so what is said while a scheduler is replaced is not lost: there it is heard and added up (`Heard`).

The name can't be guessed, but is no secret on the machine (/proc/net/unix). So the kernel says who sent each datagram:
users that have no business here are refused, and of our own whoever can be seen not to belong to the service.
"""

from __future__ import annotations

import _socket
import os
import struct

from supervisor.base import proc
from supervisor.base.loop import READ
from supervisor.model.rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.loop import Loop, Timer
    from supervisor.model.launch import User

    Datagram = tuple[str, int, int]  # what was said, by which process, of which user

MAX_BYTES = 4096  # of one datagram; the rest is cut off
MAX_A_TURN = 64  # datagrams; then others have their turn ...
REST_S = 0.05  # ... for at least so long: a flood costs its sender more than us
MAX_DRAIN = 1024  # more than the kernel queues for one socket
MAX_STATUS = 200
MAX_EXTEND_S = 86400.0
REFUSED_EVERY_S = 60.0
MAX_DEPTH = 64
_CREDENTIALS = struct.Struct("iII")
_ROOM = _socket.CMSG_SPACE(_CREDENTIALS.size) + _socket.CMSG_SPACE(253 * 4)


def open_socket(home_id: str, key: str) -> tuple[int, str]:
    """A socket for one process: the descriptor, and the address for its NOTIFY_SOCKET."""
    name = f"sbctl/{home_id[:16]}/{key[-40:]}/{os.urandom(12).hex()}"
    flags = _socket.SOCK_DGRAM | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC
    sock = _socket.socket(_socket.AF_UNIX, flags)
    try:
        sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_PASSCRED, 1)
        sock.bind("\0" + name)
    except OSError:
        sock.close()
        raise
    return sock.detach(), "@" + name


class Heard:
    """Several notifications added up; what was not said is None, 0 or empty."""

    __slots__ = ("extend", "extend_at", "pings", "ready", "refused", "status", "trigger")

    def __init__(self) -> None:
        self.ready = False
        self.status: str | None = None  # the last one, safe to show
        self.extend = 0.0  # seconds more that it asks for ...
        self.extend_at = 0.0  # ... counted from then
        self.pings = 0  # signs of life
        self.trigger = False  # it wants to be treated as one that gave none
        self.refused = 0  # a process that is none of the service's said something; not more often than once a minute

    def __bool__(self) -> bool:
        return bool(self.ready or self.status is not None or self.extend or self.pings or self.trigger or self.refused)

    def add(self, text: str, now: float) -> None:
        """What is not understood is none of our business."""
        for line in text.split("\n"):
            name, _, value = line.partition("=")
            if name == "READY":
                self.ready = self.ready or value == "1"
            elif name == "STATUS":
                self.status = clean(value.strip())[:MAX_STATUS]
            elif name == "WATCHDOG":
                self.pings += value == "1"
                self.trigger = self.trigger or value == "trigger"
            elif name == "EXTEND_TIMEOUT_USEC" and value.isascii() and value.isdecimal() and len(value) < 20:
                self.extend, self.extend_at = min(int(value) / 1e6, MAX_EXTEND_S), now

    def merge(self, later: Heard) -> None:
        self.ready = self.ready or later.ready
        self.status = self.status if later.status is None else later.status
        if later.extend:
            self.extend, self.extend_at = later.extend, later.extend_at
        self.pings += later.pings
        self.trigger = self.trigger or later.trigger
        self.refused = later.refused or self.refused

    def as_dict(self, now: float) -> dict[str, Any]:
        data = {name: getattr(self, name) for name in self.__slots__}
        data["extend"] = max(self.extend_at + self.extend - now, 0.0) if self.extend else 0.0
        data["extend_at"] = now
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Heard:
        heard = cls()
        for name in cls.__slots__:
            setattr(heard, name, data[name])
        return heard


class Owner:
    """Whose socket it is, and who may speak for it."""

    __slots__ = ("home_id", "key", "leader", "uids")

    def __init__(self, home_id: str, key: str, user: User | None = None, leader: int = 0) -> None:
        self.home_id = os.fsencode(home_id)
        self.key = os.fsencode(key)
        self.uids = {0, os.geteuid()} | ({user.uid} if user is not None else set())
        self.leader = leader  # pid of its main process; 0: not known yet

    def owns(self, pid: int, uid: int) -> bool:
        """One that is gone already (`systemd-notify` is, at once) is believed: it is one of these users."""
        if uid not in self.uids or pid <= 0:
            return False
        if pid == self.leader or not proc.is_alive(pid):
            return True
        return self._leads(pid) or self._has_mark(pid)

    def _leads(self, pid: int) -> bool:
        """It is of its session, or below it in the tree."""
        if not self.leader:
            return False
        if proc.session_of(pid) == self.leader:
            return True
        above = pid
        for _ in range(MAX_DEPTH):
            above = proc.parent_of(above) or 1
            if above in (self.leader, 1):
                break
        return above == self.leader

    def _has_mark(self, pid: int) -> bool:
        env = proc.environment_of(pid)
        return env.get(b"SB_KEY") == self.key and env.get(b"SB_HOME_ID") == self.home_id


class Listener:
    """Reads one socket in the loop; what one turn brought is told in one piece."""

    def __init__(self, loop: Loop, fd: int, owner: Owner, on_heard: Callable[[Heard], None]) -> None:
        self._loop = loop
        self.owner = owner
        self._on_heard = on_heard
        self._sock = _socket.socket(fileno=fd)  # from now on ours to close
        self._rest: Timer | None = None
        self._say_again = 0.0
        self._watch()

    def _watch(self) -> None:
        self._rest = None
        self._loop.watch(self._sock.fileno(), READ, self._on_ready)

    def _on_ready(self, _events: int) -> None:
        if self._take(MAX_A_TURN) == MAX_A_TURN:
            self._loop.unwatch(self._sock.fileno())
            self._rest = self._loop.after(REST_S, self._watch)

    def drain(self) -> None:
        """Everything that was said before its end."""
        if self._sock.fileno() >= 0:
            self._take(MAX_DRAIN)

    def _take(self, at_most: int) -> int:
        now, heard = self._loop.clock.now(), Heard()
        datagrams = read(self._sock, at_most)
        for text, pid, uid in datagrams:
            if self.owner.owns(pid, uid):
                heard.add(text, now)
            elif now >= self._say_again:
                self._say_again = now + REFUSED_EVERY_S
                heard.refused = pid
        if heard:
            self._on_heard(heard)
        return len(datagrams)

    def close(self) -> None:
        """What has not been read stays for whoever holds the socket next."""
        if self._sock.fileno() >= 0:
            self._loop.unwatch(self._sock.fileno())
            self._sock.close()
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None


def read(sock: _socket.socket, at_most: int = MAX_A_TURN) -> list[Datagram]:
    """What is there, never waiting. Descriptors that came along are closed, which also ends a sender's barrier."""
    found: list[Datagram] = []
    while len(found) < at_most:
        try:
            data, ancillary, flags, _ = sock.recvmsg(MAX_BYTES, _ROOM, _socket.MSG_CMSG_CLOEXEC)
        except OSError:  # nothing more there
            break
        pid, uid = _sender(ancillary)
        text = data.decode("utf-8", "replace")
        if flags & _socket.MSG_TRUNC:
            text = text.rpartition("\n")[0]  # the last line may be cut
        found.append((text, pid, uid))
    return found


def _sender(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, int]:
    """Process and user as the kernel saw them; (0, -1) when it did not say."""
    pid, uid = 0, -1
    for level, kind, data in ancillary:
        if level != _socket.SOL_SOCKET:
            continue
        if kind == _socket.SCM_CREDENTIALS and len(data) >= _CREDENTIALS.size:
            pid, uid, _ = _CREDENTIALS.unpack_from(data)
        elif kind == _socket.SCM_RIGHTS:
            for (fd,) in struct.iter_unpack("i", data[: len(data) - len(data) % 4]):
                os.close(fd)
    return pid, uid
