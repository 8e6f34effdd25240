"""The listening socket, taken before anything heavy is imported; and who has it when it is taken."""

from __future__ import annotations

import errno
import os
import socket

from supervisor.base import proc
from supervisor.base.errors import FAILED, Problem

HOST = "127.0.0.1"
BACKLOG = 256
_LISTEN = "0A"  # the state, in /proc/net/tcp
_ANY = "00000000"
_LOOPBACK = "0100007F"


def listen(port: int) -> socket.socket:
    """A socket that accepts from now on (callers wait in its queue), or a Problem that names the holder."""
    # With the protocol spelt out asyncio turns off Nagle's algorithm; without, each answer waits 40 ms for an ACK.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise _refused(port, error) from None
    sock.setblocking(False)
    return sock


def _refused(port: int, error: OSError) -> Problem:
    reason = os.strerror(error.errno or 0)
    if error.errno != errno.EADDRINUSE:
        return Problem(f"can't listen on port {port} of {HOST}: {reason}", code=FAILED)
    holder = holder_of(port)
    by = ""
    if holder is not None:
        by = f" by PID {holder} ({proc.command_of(holder) or 'unknown command'})"
    return Problem(f"port {port} on {HOST} is in use{by}: {reason}", code=FAILED)


def holder_of(port: int) -> int | None:
    """The process that listens there; None when we may not see it (it belongs to another user)."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    names = {f"socket:[{inode}]" for inode in inodes}
    return next((pid for pid in proc.all_pids() if _has_open(pid, names)), None)


def _listening_inodes(port: int) -> set[str]:
    found: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            continue
        for row in rows:
            address, _, local_port = row[1].rpartition(":")
            # The last four bytes decide for IPv6 too: :: and ::ffff:127.0.0.1 take the port as well.
            if row[3] == _LISTEN and int(local_port, 16) == port and address[-8:] in (_ANY, _LOOPBACK):
                found.add(row[9])
    return found


def _has_open(pid: int, names: set[str]) -> bool:
    folder = f"/proc/{pid}/fd"
    try:
        return any(_target(f"{folder}/{fd}") in names for fd in os.listdir(folder))
    except OSError:
        return False


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""  # closed meanwhile
