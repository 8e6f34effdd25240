"""`config`: the REST server. Takes its port first, then imports what it needs, then serves.

It may die and come back at any time: it holds nothing but sockets, and asks the other daemons for what it shows.
"""

from __future__ import annotations

import os
import signal
import sys

from supervisor.base import proc
from supervisor.base.errors import BAD_SETTINGS, FAILED, Problem
from supervisor.daemons import common
from supervisor.model.home import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

SETTINGS_ERROR = 78  # EX_CONFIG, which tells `start` that trying again changes nothing

_stop_asked = False


def main(path: str, *, parent: int, alone: bool, channel_fd: int | None) -> int:
    """Run until a stop signal, the end of `start`, or an error that is told in a line; the exit code."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _note_stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if not alone and not proc.die_with_parent(parent):
        return FAILED
    home = Home(path)
    os.umask(0o077)
    os.chdir("/")
    try:
        sock, key = _claim(home)
    except Problem as problem:
        sys.stderr.write(f"sbctl: {problem.text().removeprefix('error: ')}\n")
        return SETTINGS_ERROR if problem.code == BAD_SETTINGS else problem.code
    return _run(home, sock, key, channel_fd)


def _claim(home: Home) -> tuple[socket.socket, bytes]:
    """The port and the key. From here on callers wait in the socket's queue instead of being turned away."""
    from supervisor.web.port import listen, listen_anywhere

    compiled = common.read_compiled(home, "start")
    host, port = compiled["host"], compiled["port"]
    sock = listen(host, port) if port else listen_anywhere(host, home.port_file)

    from supervisor.web.keys import load_key

    return sock, load_key(home.key_file, os.environ)


def _run(home: Home, sock: socket.socket, key: bytes, channel_fd: int | None) -> int:
    pid_file = home.pid_file("config")
    common.publish_pid(pid_file)
    try:
        common.set_title("config server", home)
        from supervisor.web.serving import serve

        serve(home, sock, key, _open_channel(channel_fd), lambda: _stop_asked)
    finally:
        common.withdraw_pid(pid_file)
    return 0


def _open_channel(fd: int | None) -> socket.socket | None:
    if fd is None:
        return None
    import socket

    os.set_inheritable(fd, False)
    channel = socket.socket(fileno=fd)
    channel.setblocking(False)
    return channel


def _note_stop(_number: int, _frame: object) -> None:
    global _stop_asked
    _stop_asked = True
