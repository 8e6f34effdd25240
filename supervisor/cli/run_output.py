"""What a run writes: the whole log of an ended one, or that of one that goes on, as it grows."""

from __future__ import annotations

import os

from supervisor.base.rotation import HEAD
from supervisor.cli import out
from supervisor.cli.following import Follower
from supervisor.cli.lines import Splitter
from supervisor.cli.log_view import TextView
from supervisor.cli.places import run_logs
from supervisor.cli.secrets import mask_of
from supervisor.cli.sources import OUT, Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.model.home import Home

CHUNK = 1 << 18
LEFT_OUT = b"-- \xe2\x80\xa6 left out \xe2\x80\xa6 --"


class Output:
    """The log of a run that goes on."""

    def __init__(self, home: Home, path: str, *, colour: bool) -> None:
        self._follower = Follower(path)
        self._splitter = Splitter()
        self._view = TextView(mask_of(home), names=False, times=False, colour=colour)

    def show(self, *, last: bool = False) -> None:
        """What is new; with `last` also a line without an end."""
        for data in self._follower.read():
            self._view.show(Line(0.0, "", OUT, text) for text in self._splitter.feed(data))
        if self._follower.lost:
            self._follower.lost = False
            out.show_bytes(LEFT_OUT + b"\n")
        if last:
            self._view.show(Line(0.0, "", OUT, text) for text in self._splitter.finish())

    def close(self) -> None:
        self._follower.close()


def show_log(home: Home, plugin: str, run: str, *, colour: bool) -> bool:
    """All there is of it: head, what was left out, tail. False: there is no log."""
    names = run_logs(home, plugin, run)
    view = TextView(mask_of(home), names=False, times=False, colour=colour)
    for name in names:
        view.show(Line(0.0, "", OUT, text) for text in _lines(name))
        if name.endswith(HEAD) and len(names) > 1:
            out.show_bytes(LEFT_OUT + b"\n")
    return bool(names)


def _lines(name: str) -> Iterator[bytes]:
    splitter = Splitter()
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # just rotated away
        return
    try:
        while data := os.read(fd, CHUNK):
            yield from splitter.feed(data)
    finally:
        os.close(fd)
    yield from splitter.finish()
