"""The end of what a short-lived process says, kept in memory: a probe never touches the disk."""

from __future__ import annotations

import os

from supervisor.base.loop import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.loop import Loop

KEPT = 4096
CHUNK = 65536


class Tail:
    """Reads one end of a pipe, so that its writer never waits, and forgets all but the last bytes."""

    __slots__ = ("_data", "_fd", "_kept", "_loop")

    def __init__(self, loop: Loop, fd: int, kept: int = KEPT) -> None:
        self._loop = loop
        self._fd = fd
        self._kept = kept
        self._data = b""
        os.set_blocking(fd, False)
        loop.watch(fd, READ, self._readable)

    def _readable(self, _events: int) -> None:
        """One read a turn: a loud writer must not keep the loop from the others."""
        self._read()

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, CHUNK)
        except OSError:  # nothing is there, or can be had just now; of the end it must be told all the same
            return False
        self._data = (self._data + data)[-self._kept :]
        if not data:
            self._loop.unwatch(self._fd)  # all writers have gone, which would be told again and again
        return bool(data)

    def close(self) -> list[str]:
        """The last lines; what is still in the pipe is among them."""
        if self._fd >= 0:
            for _ in range(2):  # a pipe's worth: whoever still writes is not waited for
                if not self._read():
                    break
            self._loop.unwatch(self._fd)
            os.close(self._fd)
            self._fd = -1
        return self._data.decode("utf-8", "replace").splitlines()
