"""The side of `start` towards its scheduler: it keeps what the scheduler manages.

While a scheduler is connected it has the right to read the services' pipes. While none is, the pipes are pumped
here, into the same files. The right belongs to the connection: it goes over with the hand-over and comes back
only when the scheduler's exit has been waited for, so exactly one side reads at any time.

    scheduler -> start    hello · spawn · signal · drop · note · keep, and what it says of itself
    start -> scheduler    entries … · notes … · end · spawned · failed · exit · empty · kept · event
"""

from __future__ import annotations

import _socket
import os
import signal

from supervisor.base.channel import AT_ONCE, TOGETHER, Channel
from supervisor.engine.entries import FIRST, SECOND, Ends, close_fds, shown_as
from supervisor.engine.handing_over import entries_in_pieces, notes_in_pieces
from supervisor.engine.making import Asked
from supervisor.engine.notify import Heard, Listener, Owner
from supervisor.engine.oom import looks_like_it
from supervisor.engine.outlet import PipeOutlet, Pumps
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.service import Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.loop import Loop, Timer
    from supervisor.base.wire import Message
    from supervisor.engine.entries import Entry
    from supervisor.engine.oom import OomCounter
    from supervisor.engine.store import Store
    from supervisor.events.shown import Shown

MAX_HELD_EVENTS = 500
RETRY_S = 1.0


class Keeper:
    """Entries of the scheduler, its notes, and the pumps while it is away."""

    def __init__(self, loop: Loop, store: Store, on_status: Callable[[Message], None]) -> None:
        self._loop = loop
        self._store = store
        self._on_status = on_status
        self._channel: Channel | None = None
        self._handed = False
        self._asked: list[Asked] = []  # processes to be made
        self._has_made = False  # some, of what is being read
        self._owed = False  # it has asked for what is kept, and there was no descriptor left
        self._pumps: dict[str, Pumps] = {}  # by key
        self._heard: dict[str, Heard] = {}  # by key, until a scheduler has noted what follows from it
        self._retry: Timer | None = None  # of pumps that could not be begun
        self.outlet = PipeOutlet(loop)
        self._shown: Shown | None = None
        self._events: list[dict[str, Any]] = []
        self.notes: dict[str, dict[str, Any]] = {}
        self.dropped_events = 0
        self.oom: OomCounter | None = None
        store.is_asked = self._is_asked

    def _is_asked(self) -> bool:
        return self._channel is not None and self._channel.has_more()

    @property
    def connected(self) -> bool:
        return self._handed

    def show(self, shown: Shown) -> None:
        """Where the output goes that is read here, beside its files."""
        self._shown = shown
        self.outlet = PipeOutlet(self._loop, shown.output)

    # the connection

    def connect(self, sock: _socket.socket) -> None:
        """A new scheduler is about to be spawned with the other end of this pair."""
        self._channel = Channel(
            sock,
            self._loop,
            on_message=self._on_message,
            on_closed=self._on_closed,
            on_pause=self._all_read,
            answers_together=True,
            at_once=AT_ONCE,
        )

    def scheduler_gone(self) -> None:
        """Its exit has been waited for: hear it out, then read the pipes ourselves."""
        channel, self._channel = self._channel, None
        self._handed = self._owed = False
        if channel is not None:
            self._loop.guard(channel.read_to_end)
            channel.close()
        self._pump_all()

    def _pump_all(self) -> None:
        """Read every pipe that nobody reads; those for which no descriptor is left just now a little later."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._channel is not None and self._handed:
            return
        missed = False
        for entry in self.entries():
            try:
                self._pump(entry)
            except OSError:
                missed = True
        if missed:
            self._retry = self._loop.after(RETRY_S, self._pump_all)

    def _on_closed(self) -> None:
        self._handed = False

    def send(self, message: Message) -> None:
        """To the scheduler, if one is there that has taken over; else it is of no use to anybody."""
        if self._channel is not None and self._handed:
            self._channel.send(message)

    def tell(self, event: dict[str, Any]) -> None:
        """An event for the journal; held while nobody writes one."""
        if self._channel is not None and self._handed:
            self._channel.send({"did": "event", "event": event})
        elif len(self._events) < MAX_HELD_EVENTS:
            self._events.append(event)
        else:
            self.dropped_events += 1

    @property
    def in_between(self) -> str:
        """Why it is no moment to go over to another program; "": it is one."""
        if self._channel is None:
            return ""
        if self._owed:
            return "a scheduler waits for what is kept for it"
        return "" if self._channel.sent else "the scheduler does not read what it is told"

    # going over to the program that this process becomes

    def hand_on(self) -> dict[str, Any]:
        now = self._loop.clock.now()
        return {
            "channel": self._channel.fd if self._channel is not None and not self._channel.closed else -1,
            "handed": self._handed,
            "notes": self.notes,
            "events": self._events,
            "dropped_events": self.dropped_events,
            "heard": {key: heard.as_dict(now) for key, heard in self._heard.items()},
        }

    def take_up(self, data: dict[str, Any]) -> None:
        """Who had the right to read has it still."""
        self.notes = data["notes"]
        self._events, self.dropped_events = data["events"], data["dropped_events"]
        self._heard = {key: Heard.from_dict(heard) for key, heard in data["heard"].items()}
        if data["channel"] >= 0:
            self.connect(_socket.socket(fileno=data["channel"]))
        self._handed = data["handed"]
        self._pump_all()

    # what the scheduler asks

    def _on_message(self, message: Message, fds: list[int]) -> None:
        verb = message.get("verb")
        if verb == "spawn":
            self._ask(message, fds)
            return
        if verb == "keep":
            self._make()
            self._keep(message["key"], message["name"], fds, bool(message.get("let_go")))
            return
        close_fds(*fds)
        if verb == "note":  # such a note is there before the process, at the latest with it
            self._note(message["name"], message["blob"])
            return
        self._make()
        if verb == "signal":
            self._store.signal(message["key"], message["number"], main=message["main"])
        elif verb == "drop":
            self._heard.pop(message["key"], None)
            self._store.drop(message["key"])
        elif verb == "hello":
            self._hand_over()
        else:
            self._on_status(message)

    def _note(self, name: str, blob: dict[str, Any] | None) -> None:
        if blob is None:
            self.notes.pop(name, None)
            return
        self.notes[name] = blob
        self._heard.pop(blob.get("key", ""), None)  # what followed from it is in the note

    def _keep(self, key: str, name: str, fds: list[int], let_go: bool = False) -> None:
        """The second pipe of a loud service, for the next scheduler; nothing is in it before this one is answered.
        It is let go of only where that was meant: with a new one that was lost on the way nothing is said of the old.
        """
        entry = self._store.entries.get(key)
        if let_go and entry is not None and name in SECOND:
            entry.keep(name, -1)
        is_kept = entry is not None and name in SECOND and len(fds) == 1 and _has_first(entry, name)
        if entry is not None and is_kept:
            entry.keep(name, fds[0])
        else:
            close_fds(*fds)
        self.send({"did": "kept", "key": key, "name": name, "is_kept": is_kept})

    def _ask(self, message: Message, fds: list[int]) -> None:
        """The first of one moment is made at once, those that were asked for meanwhile together (see `making`)."""
        key, replaces = message["key"], message["replaces"]
        if replaces and any(each.key == replaces for each in self._asked):
            self._make()
        self._forget_pumps(replaces)
        self._heard.pop(replaces, None)
        if len(fds) != len(message["ends"]):
            close_fds(*fds)
            self._store.drop(replaces)  # the next try replaces this one, of which there will be no entry
            lost = Cause(CauseKind.SYSTEM, "its pipe was lost on the way to start: too few open files are allowed")
            self.send({"did": "failed", "key": key, "cause": lost.as_dict()})
            return
        ends = Ends(**dict(zip(message["ends"], fds, strict=True)), address=message["address"])
        stop = (message["stop"][0], message["stop"][1])
        self._asked.append(Asked(key, Launch.from_dict(message["launch"]), ends, stop, replaces=replaces))
        if not self._has_made or len(self._asked) >= TOGETHER:
            self._make()

    def _all_read(self) -> None:
        self._make()
        self._has_made = False

    def _make(self) -> None:
        """Those that were asked for."""
        if not self._asked:
            return
        self._has_made = True
        asked, self._asked = self._asked, []
        for entry in self._store.spawn_all(self, asked):
            if entry.cause is not None:
                self.send({"did": "failed", "key": entry.key, "cause": entry.cause.as_dict()})
            else:
                self.send({"did": "spawned", "key": entry.key, "pid": entry.pid, "started": entry.started})

    # what the store tells

    def exited(self, entry: Entry) -> None:
        """Whether it was for want of memory is told from here: also of an end that no scheduler has seen."""
        if entry.status is not None and entry.signalled != signal.SIGKILL and looks_like_it(entry.status):
            entry.oom = self.oom is not None and self.oom.rose(own_cgroup=bool(entry.launch.limits.cgroup))
        message = {"did": "exit", "key": entry.key, "status": entry.status, "empty": entry.empty}
        if self._channel is not None and self._handed:  # those of one moment go together
            self._channel.send_with_next({**message, "oom": entry.oom, "used": entry.used, "ended": entry.ended})

    def emptied(self, entry: Entry) -> None:
        self.send({"did": "empty", "key": entry.key})

    # hand-over

    def entries(self) -> list[Entry]:
        return [entry for entry in self._store.entries.values() if entry.listener is self]

    def _hand_over(self) -> None:
        """All of it in one turn, so that no end falls between; else nothing, and all of it later."""
        channel, self._owed = self._channel, False
        if channel is None:
            return
        for key in list(self._pumps):
            self._forget_pumps(key)
        try:
            chunks = entries_in_pieces(self.entries(), self._heard, self._loop.clock.now())
        except OSError:  # no descriptor is left just now
            self._owed = True
            self._pump_all()
            self._loop.after(RETRY_S, lambda: self._hand_over_to(channel))
            return
        for rows, fds in chunks:
            channel.send({"did": "entries", "entries": rows}, fds, close_fds=True)
        for part in notes_in_pieces(self.notes):
            channel.send({"did": "notes", "notes": part})
        held, self._events = self._events, []
        for event in held:
            channel.send({"did": "event", "event": event})
        channel.send({"did": "end"})
        self._handed = True

    def _hand_over_to(self, channel: Channel) -> None:
        """Unless it has gone meanwhile."""
        if self._channel is channel and not channel.closed:
            self._hand_over()

    # pumping and listening while nobody else does

    def _pump(self, entry: Entry) -> None:
        kept = entry.kept()
        if not kept or entry.key in self._pumps:
            return
        copies: dict[str, int] = {}
        try:
            for name, fd in kept.items():
                copies[name] = os.dup(fd)
        except OSError:
            close_fds(*copies.values())
            raise
        name = shown_as(entry)
        out, err, *seconds = (copies.get(each, -1) for each in ("out_read", "err_read", *SECOND))
        pumps = self.outlet.resume(name, entry.launch, out, err, (seconds[0], seconds[1]))
        if "notify" in copies:
            owner = Owner(self._store.home_id, entry.key, entry.launch.user, entry.pid)
            pumps.ear = Listener(self._loop, copies["notify"], owner, lambda heard: self._hear(entry, heard))
        self._pumps[entry.key] = pumps

    def _hear(self, entry: Entry, heard: Heard) -> None:
        self._heard.setdefault(entry.key, Heard()).merge(heard)

    def _forget_pumps(self, key: str) -> None:
        pumps = self._pumps.pop(key, None)
        if pumps is not None:
            pumps.close()
            entry = self._store.entries.get(key)
            if self._shown is not None and entry is not None:
                self._shown.finish(shown_as(entry))

    def forget_ended(self) -> None:
        """Ended from here, on nobody's behalf: the next scheduler begins with the settings."""
        for entry in self.entries():
            if entry.empty:
                self._forget_pumps(entry.key)
                self._heard.pop(entry.key, None)
                self._store.drop(entry.key)
        self.notes = {name: note for name, note in self.notes.items() if name == "#scheduler"}

    def pump_alone(self) -> None:
        """For the end of `start` when no scheduler is there to read the last lines."""
        for pumps in self._pumps.values():
            pumps.drain()


def _has_first(entry: Entry, name: str) -> bool:
    """Where that is closed, for nothing can come out of it any more, nothing would come into the second one either."""
    return FIRST[SECOND.index(name)] in entry.kept()
