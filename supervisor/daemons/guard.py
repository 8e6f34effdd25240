"""While new code takes over in the place of old code: if it fails, the old code goes on from the same state.

The new program was exec'ed in the process of `start`, with all signals blocked and everything that counts in one
memory file: what the old code knew, its command line, and the numbers of the descriptors that it has left open. Until
the new code says that it stands, it changes nothing of that. So the way back is the same exec, the other way round.

Nothing but the standard library in here, and little of that: this must work when nothing else of the version does.
"""

from __future__ import annotations

import os
import signal

from supervisor.base import jsons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

LIMIT_S = 10  # for all of it; it takes a tenth of a second
MOST_FAILURES = 3  # then even the old code can't take up what it has written itself

_state_fd = -1


class TooLong(Exception):
    """It did not fail, it hung."""


def run(state_fd: int, call: Callable[[], int]) -> int:
    """What `call` returns once it has said `stand`; if it ends in any way before that, this never returns."""
    global _state_fd
    _state_fd = state_fd
    signal.signal(signal.SIGALRM, _too_late)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
    signal.alarm(LIMIT_S)
    try:
        code = call()
    except BaseException as error:
        if _state_fd < 0:
            raise
        go_back(f"{type(error).__name__}: {error}")
    if _state_fd >= 0:
        go_back(f"it ended with {code}")
    return code


def stand() -> None:
    """The new code has all that there is, and from here on answers for it."""
    global _state_fd
    signal.alarm(0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    os.close(_state_fd)
    _state_fd = -1


def _too_late(_number: int, _frame: object) -> NoReturn:
    raise TooLong(f"it did not take over within {LIMIT_S} s")


def go_back(why: str) -> NoReturn:
    """Become the old code again, with a word on what happened behind the state."""
    signal.alarm(0)
    state, failures = read(_state_fd)
    if len(failures) >= MOST_FAILURES:
        raise SystemExit(f"sbctl: start can't go on, neither as it was nor as it should become: {failures}")
    os.lseek(_state_fd, 0, os.SEEK_END)
    os.write(_state_fd, b"\n" + jsons.dumps(why[:2000]).encode())
    for fd in (_state_fd, *state["fds"]):
        os.set_inheritable(fd, True)
    argv = [*state["argv"], "--take-up", str(_state_fd)]
    os.execv(argv[0], argv)


def read(state_fd: int) -> tuple[dict[str, Any], list[str]]:
    """What was handed on, and who has failed to take it up, and why."""
    size = os.fstat(state_fd).st_size
    data = b""
    while len(data) < size:
        data += os.pread(state_fd, size - len(data), len(data))
    first, *rest = data.decode("utf-8", "surrogateescape").split("\n")
    return jsons.loads(first), [jsons.loads(line) for line in rest]


def write(state: dict[str, Any]) -> int:
    """A memory file that an exec leaves open."""
    data = jsons.encoder(ascii=False)(state).encode("utf-8", "surrogateescape")
    fd = os.memfd_create("sbctl-state", 0)
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError:
        os.close(fd)
        raise
    return fd
