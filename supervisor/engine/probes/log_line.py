"""Waits for a line in a service's output that says it is ready.

The raw file is read back: first what was written while no scheduler looked, a piece a turn, then what each turn adds.
Text that is cut in two by a turn or by a rotation is found too. Once it is there nobody looks any longer.
"""

from __future__ import annotations

import os

from supervisor.base.rotation import in_a_row
from supervisor.engine.outlet import ERR, OUT
from supervisor.model.check import LOG
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.engine.engine import Engine
    from supervisor.engine.service import Service

PIECE = 1 << 20  # bytes a turn


class Search:
    """One stream of one process."""

    __slots__ = ("_rest", "wanted")

    def __init__(self, text: str) -> None:
        self.wanted = text.encode("utf-8", "surrogateescape")
        self._rest = b""  # of what has been seen, the end: it may be the beginning of the text

    def found(self, data: bytes) -> bool:
        data = self._rest + data
        self._rest = data[len(data) - min(len(data), len(self.wanted) - 1) :]
        return self.wanted in data


class Past:
    """What is in the files already, from where this start of the service began."""

    __slots__ = ("_begun", "_fd", "_inode", "_path", "_position")

    def __init__(self, path: str, inode: int, position: int) -> None:
        self._path = path
        self._inode = inode  # of the file read now; 0: there was none at the start, so all of it counts
        self._position = position
        self._fd = -1
        self._begun = False

    def read(self) -> bytes:
        """The next piece; empty when nothing more is there."""
        if not self._begun:
            self._begun, self._fd = True, self._open(self._inode)
        while self._fd >= 0:
            data = os.pread(self._fd, PIECE, self._position)
            if data:
                self._position += len(data)
                return data
            self._next()
        return b""

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _next(self) -> None:
        """The file that followed this one, if it was rotated."""
        self.close()
        inodes = self._inodes()
        place = inodes.index(self._inode) if self._inode in inodes else len(inodes)
        if place > 0:
            self._fd = self._open(inodes[place - 1])
            self._position = 0

    def _inodes(self) -> list[int]:
        """Newest first."""
        try:
            newest = [os.stat(self._path).st_ino]
        except OSError:
            newest = []
        return newest + [each.inode for each in in_a_row(self._path) if not each.packed]

    def _open(self, inode: int) -> int:
        names = {each.inode: each.name for each in in_a_row(self._path) if not each.packed}
        try:
            fd = os.open(names.get(inode, self._path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return -1
        self._inode, expected = os.fstat(fd).st_ino, inode
        if expected and self._inode != expected:
            self._position = 0  # that file is gone; what followed it is all of this start
        return fd


class Watch:
    """One process that has not said it yet."""

    __slots__ = ("key", "past", "searches", "service", "text")

    def __init__(self, service: Service, text: str) -> None:
        self.service = service
        self.key = service.key
        self.text = text
        self.searches = {OUT: Search(text), ERR: Search(text)}
        self.past: Past | None = None  # until that has been read


class LogLines:
    """All services of an engine whose output is waited for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._watches: dict[str, Watch] = {}
        engine.watch_service(self._changed)

    def output(self, name: str, stream: str, fd: int, start: int, end: int) -> None:
        """So many bytes were added to a raw file."""
        watch = self._watches.get(name)
        if watch is None or (watch.past is not None and stream == self._stream_of_past(watch)):
            return
        while start < end:
            try:
                data = os.pread(fd, min(PIECE, end - start), start)
            except OSError:
                return
            if not data:
                return
            start += len(data)
            if watch.searches[stream].found(data):
                self._found(watch)
                return

    def _changed(self, service: Service, _before: Phase) -> None:
        name, state, ready = service.name, service.state, service.spec.ready
        is_known = self._engine.services.get(name) is service
        is_starting = is_known and state.phase is Phase.STARTING and not state.ready
        is_there = state.in_flight or state.has_process
        text = ready.text if is_starting and is_there and ready is not None and ready.kind == LOG else ""
        watch = self._watches.get(name)
        if watch is not None and (watch.key, watch.text) == (service.key, text):
            return
        if watch is not None:
            self._leave(watch)
        if text:
            self._watches[name] = Watch(service, text)
            self._begin(self._watches[name])

    def _begin(self, watch: Watch) -> None:
        """Its first words may be in the file by now: from this start or, after a hand-over, from long ago."""
        launch = watch.service.spec.launch
        watch.past = Past(launch.err_log or launch.log, watch.service.log_inode, watch.service.log_from)
        self._engine.loop.soon(lambda: self._read_past(watch))

    def _stream_of_past(self, watch: Watch) -> str:
        """Where stderr has a file of its own, that is the one whose beginning is known."""
        return ERR if watch.service.spec.launch.err_log else OUT

    def _read_past(self, watch: Watch) -> None:
        """All there is by now; meanwhile what is added is found here, afterwards by `output`."""
        if self._watches.get(watch.service.name) is not watch or watch.past is None:
            return
        try:
            data = watch.past.read()
        except OSError:
            data = b""
        if data and watch.searches[self._stream_of_past(watch)].found(data):
            self._found(watch)
        elif data:
            self._engine.loop.soon(lambda: self._read_past(watch))
        else:
            watch.past.close()
            watch.past = None

    def _found(self, watch: Watch) -> None:
        """Not from within the pump that brought it: what follows may close that."""
        self._leave(watch)
        self._engine.loop.soon(lambda: self._tell(watch))

    def _tell(self, watch: Watch) -> None:
        if self._engine.by_key(watch.key) is watch.service and watch.service.state.phase is Phase.STARTING:
            self._engine.ready(watch.service.name)

    def _leave(self, watch: Watch) -> None:
        self._watches.pop(watch.service.name, None)
        if watch.past is not None:
            watch.past.close()
            watch.past = None
