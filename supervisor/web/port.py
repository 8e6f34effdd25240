"""The listening socket, taken before anything heavy is imported; and who has it when it is taken."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys

from supervisor.base import proc
from supervisor.base.errors import FAILED, Problem
from supervisor.base.files import read_small, write_atomic

BACKLOG = 256
_LISTEN = "0A"  # the state, in /proc/net/tcp
_NAMES = {"localhost": "127.0.0.1"}  # not looked up: a name server may say anything, or nothing for a minute


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts from now on (callers wait in its queue), or a Problem that names the holder."""
    host = _NAMES.get(host, host)
    # With the protocol spelt out asyncio turns off Nagle's algorithm; without, each answer waits 40 ms for an ACK.
    sock = socket.socket(_family(host), socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise _refused(host, port, error) from None
    sock.setblocking(False)
    return sock


def listen_anywhere(host: str, memory: str) -> socket.socket:
    """On the port that was taken the last time, else on any that is free; `memory` is the file that remembers it."""
    last = _remembered(memory)
    try:
        sock = listen(host, last)
    except Problem:
        if not last:
            raise
        sock = listen(host, 0)
    port = address_of(sock)[1]
    if port != last:
        with contextlib.suppress(OSError):  # the next start takes another one then
            write_atomic(memory, b"%d\n" % port)
    return sock


def _remembered(memory: str) -> int:
    try:
        text = read_small(memory, 16).strip()
    except OSError:
        return 0
    port = int(text) if text.isdigit() else 0
    return port if port < 1 << 16 else 0


def address_of(sock: socket.socket) -> tuple[str, int]:
    """Where it listens: host and port."""
    host, port = sock.getsockname()[:2]
    return host, port


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _refused(host: str, port: int, error: OSError) -> Problem:
    reason = error.strerror or str(error)
    if error.errno != errno.EADDRINUSE:
        return Problem(f"can't listen on port {port} of {host}: {reason}", code=FAILED)
    holder = holder_of(host, port)
    by = ""
    if holder is not None:
        by = f" by PID {holder} ({proc.command_of(holder) or 'unknown command'})"
    return Problem(f"port {port} on {host} is in use{by}: {reason}", code=FAILED)


def holder_of(host: str, port: int) -> int | None:
    """The process that listens there; None when we may not see it (it belongs to another user)."""
    inodes = _listening_inodes(host, port)
    if not inodes:
        return None
    names = {f"socket:[{inode}]" for inode in inodes}
    return next((pid for pid in proc.all_pids() if _has_open(pid, names)), None)


def _listening_inodes(host: str, port: int) -> set[str]:
    own = _as_kernel(host)
    takers = (own, "0" * len(own))  # itself, or all addresses
    found: set[str] = set()
    # An IPv6 socket of :: or ::ffff:127.0.0.1 takes the port of the IPv4 address as well, not the other way round.
    for table in ("/proc/net/tcp6",) if ":" in host else ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            continue
        for row in rows:
            address, _, local_port = row[1].rpartition(":")
            if row[3] == _LISTEN and int(local_port, 16) == port and address[-len(own) :] in takers:
                found.add(row[9])
    return found


def _as_kernel(host: str) -> str:
    """The address as /proc/net/tcp has it: each four bytes as one number of this machine."""
    packed = socket.inet_pton(_family(host), host)
    words = [packed[at : at + 4] for at in range(0, len(packed), 4)]
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)


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
