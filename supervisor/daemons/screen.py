"""What `start --foreground` prints: its events, the scheduler's, and if wanted what the servers write; text or JSON.

    text    web: started, pid 12
            web | listening on 8080
    json    {"time":"…","level":"info","kind":"service.started","service":"web","text":"web: started, pid 12","data":…}
            {"time":"…","level":"info","kind":"output","service":"web","text":"listening on 8080","stream":"out"}

One writer, whole lines. For whoever reads them slowly some are kept; what there is no room for is dropped, counted and
owned up to. A reader that has gone costs nothing but the lines.
"""

from __future__ import annotations

import os
import select

from supervisor.base import jsons
from supervisor.base.clock import iso
from supervisor.base.counting import counted
from supervisor.base.loop import WRITE
from supervisor.daemons.foreground import CHUNK, reopened
from supervisor.events.shown import Shown
from supervisor.model.event import INFO, WARNING, Event
from supervisor.model.rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from supervisor.base.loop import Loop
    from supervisor.daemons.start import Start

TEXT, JSON = FORMATS = ("text", "json")
OUTPUT = "output"  # the kind of a line of a server
DROPPED = "output.dropped"
ROOM = 1 << 20  # bytes that wait for a slow reader
PIECE = 64 << 10  # a write
LAST_WAIT_S = 0.3  # for the last lines, when all is over


class Screen:
    """The descriptor stays the caller's; what is opened here beside it, `close` closes."""

    def __init__(self, loop: Loop, fd: int, form: str = TEXT) -> None:
        self._loop = loop
        self._own = reopened(fd)
        self._fd = fd if self._own is None else self._own
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLOUT)
        self._encode = jsons.encoder(ascii=False, default=str)
        self._as_json = form == JSON
        self._queue: list[bytes] = []  # whole lines
        self._rest = b""  # of lines that are on their way, the first one perhaps in part
        self._torn = False
        self._waiting = 0  # bytes of both
        self._watching = False
        self.dropped = 0
        self._told: list[tuple[bytes, int]] = []  # what waits of that, and how many lines it stands for

    # what is shown

    def hear(self, message: dict[str, Any]) -> None:
        """What a scheduler passes on."""
        if "shown" in message:
            self.event(Event.from_dict(message["shown"]))
        elif "lines" in message:
            self.output(*message["lines"])
        elif "lost" in message:
            self.dropped += message["lost"]

    def event(self, event: Event) -> None:
        if self._as_json:
            line = {"time": iso(event.at), "level": event.level, "kind": event.kind, "service": event.service}
            self._show(self._json({**line, "text": event.text, **({"data": event.data} if event.data else {})}))
        else:
            self._show("".join(f"{clean(line)}\n" for line in event.text.split("\n")))

    def output(self, at: float, name: str, stream: str, lines: Iterable[str]) -> None:
        """What a server has written, in order."""
        if not self._as_json:
            for line in lines:
                self._put(f"{name} | {line}\n")
        else:
            head = {"time": iso(at), "level": INFO, "kind": OUTPUT, "service": name}
            for line in lines:
                self._put(self._json({**head, "text": line, "stream": stream}))
        self._flush()

    def _json(self, data: dict[str, Any]) -> str:
        return self._encode(data) + "\n"

    def _show(self, text: str) -> None:
        self._put(text)
        self._flush()

    def _put(self, text: str) -> None:
        line = text.encode("utf-8", "backslashreplace")
        if self._waiting + len(line) > ROOM:
            self.dropped += 1
            return
        if self.dropped:
            told = self._confession(self.dropped)
            self._told.append((told, self.dropped))
            self.dropped = 0
            self._add(told)
        self._add(line)

    def _add(self, line: bytes) -> None:
        self._queue.append(line)
        self._waiting += len(line)

    def _confession(self, lost: int) -> bytes:
        text = f"sbctl: {counted(lost, 'line')} dropped: nobody took them"
        if not self._as_json:
            return f"{text}\n".encode()
        at = iso(self._loop.clock.wall())
        return self._json({"time": at, "level": WARNING, "kind": DROPPED, "service": "", "text": text}).encode()

    # writing

    def _flush(self) -> None:
        """As much as is taken at once; the rest when there is room again."""
        if self._watching:
            return
        try:
            while self._rest or self._queue:
                self._write_some()
            self._told = []
        except BlockingIOError:
            self._wait()
        except OSError:
            self._give_up()

    def _write_some(self) -> None:
        if not self._rest:
            self._rest, self._queue = b"".join(self._queue), []
            self._torn = False
        if self._own is not None:
            size = os.write(self._own, self._rest[:PIECE])
        elif self._poll.poll(0):
            size = os.write(self._fd, self._rest[:CHUNK])
        else:
            raise BlockingIOError
        self._torn = self._rest[size - 1 : size] != b"\n"
        self._rest = self._rest[size:]
        self._waiting -= size

    def _wait(self) -> None:
        try:
            self._loop.watch(self._fd, WRITE, lambda _events: self._ready())
            self._watching = True
        except OSError:  # of a kind that can't be waited for
            self._give_up()

    def _ready(self) -> None:
        self._unwatch()
        self._flush()

    def _unwatch(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.unwatch(self._fd)

    def _give_up(self) -> None:
        """It is closed, or its disk is full. A line that was taken in part is kept, to be whole if it goes on."""
        kept = self._rest[: self._rest.find(b"\n") + 1] if self._torn else b""
        lost = self._rest[len(kept) :] + b"".join(self._queue)
        self.dropped += lost.count(b"\n") + sum(lines - 1 for told, lines in self._told if told in lost)
        self._rest, self._queue, self._told, self._waiting = kept, [], [], len(kept)

    # going over to the program that this process becomes

    def hand_on(self) -> dict[str, Any]:
        """What a slow reader has not taken yet."""
        waiting = self._rest + b"".join(self._queue)
        return {"waiting": waiting.hex(), "torn": self._torn, "dropped": self.dropped}

    def take_up(self, data: dict[str, Any]) -> None:
        self._rest, self._torn, self.dropped = bytes.fromhex(data["waiting"]), data["torn"], data["dropped"]
        self._waiting = len(self._rest)
        self._loop.soon(self._flush)

    def close(self) -> None:
        """The end of all: a reader that is only slow gets the last lines too."""
        self._unwatch()
        until = self._loop.clock.now() + LAST_WAIT_S
        self._flush()
        while self._watching and self._loop.clock.now() < until:
            self._unwatch()
            self._poll.poll(10)
            self._flush()
        self._unwatch()
        if self._own is not None:
            os.close(self._own)
            self._own = None


def open_screen(daemon: Start) -> Screen:
    """For a `start` in the foreground; its schedulers pass on what is to be seen."""
    options = daemon.options
    screen = Screen(daemon.loop, 1, options.log_format)
    daemon.core.words["scheduler"] = ["--shown", "output" if options.output else "events"]
    if options.output:
        daemon.keeper.show(Shown(daemon.loop, screen.output))
    return screen
