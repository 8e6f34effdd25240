"""What a scheduler passes on to the screen of `start --foreground`: its events and, if wanted, its servers' output.

Once a turn, in messages that fit. The channel is for spawns first: while it is full nothing is added to it, and what
does not fit into the wait is dropped and counted.
"""

from __future__ import annotations

from supervisor.base.wire import BadFrame
from supervisor.events.output import ended_by
from supervisor.events.shown import Shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.daemons.scheduler import Scheduler
    from supervisor.model.event import Event

EVENTS, OUTPUT = WHAT = ("events", "output")
TOGETHER = 24 << 10  # characters a message, each of at most 4 bytes
ROOM = 1 << 20  # characters that wait for the channel
AGAIN_S = 0.01


class Showing:
    """Made also where nothing is shown: then it does nothing."""

    def __init__(self, daemon: Scheduler, what: str) -> None:
        self._daemon = daemon
        self._waiting: list[dict[str, Any]] = []
        self._size = 0  # of the lines among them
        self._dropped = 0
        self._owed = False
        self._shown = Shown(daemon.loop, self._lines) if what == OUTPUT else None
        if what:
            daemon.bus.add(self._event)

    def output(self, name: str, stream: str, fd: int, start: int, end: int) -> None:
        if self._shown is not None:
            self._shown.output(name, stream, fd, start, end)

    def _event(self, event: Event) -> None:
        if self._shown is not None and (name := ended_by(event)):
            self._shown.finish(name)
        if event.source == "scheduler":  # those of `start` come from there
            self._add({"shown": event.as_dict()}, len(event.text))

    def _lines(self, at: float, name: str, stream: str, lines: list[str]) -> None:
        part: list[str] = []
        size = 0
        for line in lines:
            if part and size + len(line) > TOGETHER:
                self._add_lines(at, name, stream, part, size)
                part, size = [], 0
            part.append(line)
            size += len(line)
        self._add_lines(at, name, stream, part, size)

    def _add_lines(self, at: float, name: str, stream: str, lines: list[str], size: int) -> None:
        if self._size + size > ROOM:
            self._dropped += len(lines)
        else:
            self._add({"lines": [at, name, stream, lines]}, size)

    def _add(self, message: dict[str, Any], size: int) -> None:
        """Events are few, and they are what everything is about: they always have room."""
        self._waiting.append(message)
        self._size += size
        if not self._owed:
            self._owed = True
            self._daemon.loop.soon(self._send)

    def _send(self) -> None:
        channel = self._daemon.channel
        if channel is not None and not channel.sent and not channel.closed:
            self._daemon.loop.after(AGAIN_S, self._send)
            return
        self._owed = False
        self.send_rest()

    def send_rest(self) -> None:
        """Now: no other turn may come."""
        channel = self._daemon.channel
        waiting, self._waiting, self._size = self._waiting, [], 0
        if channel is None:
            return
        if self._dropped:
            lost, self._dropped = self._dropped, 0
            waiting.append({"lost": lost})
        for message in waiting:
            try:
                channel.send_with_next(message)
            except BadFrame:  # an event with very many details
                channel.send_with_next({"shown": {**message["shown"], "data": {}}})
        channel.send_rest()
