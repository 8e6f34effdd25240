"""Reaching a daemon's socket, or saying why that can't be done.

Apart from the client because the quick commands need only this: it imports no JSON parser.
"""

from __future__ import annotations

import _socket
import errno
import os
import time

from supervisor.base.errors import FAILED, NO_PERMISSION, NOT_RUNNING, TIMED_OUT, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

CONNECT_S = 2.0
BUSY_WAIT_S = 0.01


def dial(home: Home, role: str, timeout: float = CONNECT_S) -> _socket.socket:
    """A connected socket, or a Problem whose code tells "not running" from "may not" and "hangs"."""
    try:
        folder_fd = os.open(home.run, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _unreachable(home, role, error) from None
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        # Through the folder's descriptor: a long path would not fit into a socket address.
        _connect(sock, f"/proc/self/fd/{folder_fd}/{home.socket_name(role)}", time.monotonic() + timeout)
    except OSError as error:
        sock.close()
        raise _unreachable(home, role, error) from None
    finally:
        os.close(folder_fd)
    return sock


def seconds_left(until: float) -> float:
    """For a time limit on a socket; zero would mean "do not wait" there."""
    return max(until - time.monotonic(), 0.001)


def no_answer(home: Home, role: str) -> Problem:
    return Problem(
        f"{role} does not answer",
        why="it is suspended, or very busy",
        remedy=f"look at it with: ps -o pid,stat,args -p $(cat '{home.pid_file(role)}')",
        code=TIMED_OUT,
    )


def _connect(sock: _socket.socket, address: str, until: float) -> None:
    """Connect; a full queue of waiting clients is no refusal but the sign of a busy daemon."""
    sock.settimeout(seconds_left(until))
    while True:
        try:
            sock.connect(address)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise TimeoutError from None
            time.sleep(BUSY_WAIT_S)


def _unreachable(home: Home, role: str, error: OSError) -> Problem:
    if isinstance(error, TimeoutError):
        return no_answer(home, role)
    if error.errno in (errno.EACCES, errno.EPERM):
        return Problem(
            f"no permission to control {home}",
            why=f"{home.run} belongs to another user",
            remedy="use sbctl as that user or as root",
            code=NO_PERMISSION,
        )
    if error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
        what = "sbctl is not running" if role == "start" else f"{role} is not running"
        remedy = "sbctl start" if role == "start" else f"sbctl start {role}"
        return Problem(what, why=f"nothing listens in {home.run}", remedy=remedy, code=NOT_RUNNING)
    return Problem(f"can't reach {role}", why=str(error), code=FAILED)
