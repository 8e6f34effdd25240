"""How an engine gets its processes: from a store in its own process, or from `start` over the channel.

Both answer the same five calls, and both answer later, never from within a request: an engine can't be
re-entered by its own action.
"""

from __future__ import annotations

import os
import signal

from supervisor.base import proc
from supervisor.base.loop import READ
from supervisor.base.wire import BadFrame, encode
from supervisor.engine.entries import KEPT, close_fds, ended_of
from supervisor.engine.leftovers import find_marked
from supervisor.model.cause import Cause, CauseKind

UNREAD_S = 1.0  # as old a request may be of which it is not known whether `start` has read it
LOOK_AGAIN_S = 0.2  # longer than a fork and an exec take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from supervisor.base.channel import Channel
    from supervisor.base.loop import Loop
    from supervisor.base.wire import Message
    from supervisor.engine.entries import Ended, Ends, Entry, Used
    from supervisor.engine.store import Store
    from supervisor.model.service import Launch, StopRule

    class Answers(Protocol):
        """What an engine hears."""

        def spawned(self, key: str, pid: int, started: int) -> None: ...
        def spawn_failed(self, key: str, cause: Cause) -> None: ...
        def exited(
            self,
            key: str,
            status: int | None,
            empty: bool,
            oom: bool | None = None,
            used: Used | None = None,
            *,
            ended: Ended | None = None,
        ) -> None: ...
        def emptied(self, key: str) -> None: ...

    class Spawner(Protocol):
        """What an engine asks."""

        def spawn(self, key: str, launch: Launch, *, replaces: str, ends: Ends, stop: StopRule) -> None: ...
        def signal(self, key: str, number: int, *, main: bool = False) -> None: ...
        def drop(self, key: str) -> None: ...
        def note(self, name: str, blob: dict[str, Any] | None) -> None: ...
        def note_with_next(self, name: str, blob: dict[str, Any] | None) -> None: ...
        def keep(self, key: str, name: str, fd: int, then: Callable[[bool], None]) -> None: ...
        def let_go(self, key: str, name: str) -> None: ...


class LocalSpawner:
    """The store is in this process: core services of `start`, or a scheduler that runs alone."""

    def __init__(
        self,
        loop: Loop,
        store: Store,
        answers: Answers,
        prepare: Callable[[str, Launch], tuple[Launch, int]] | None = None,
    ) -> None:
        self._loop = loop
        self._store = store
        self._answers = answers
        self._prepare = prepare  # gives the launch its last touch, and a descriptor to inherit

    def spawn(self, key: str, launch: Launch, *, replaces: str, ends: Ends, stop: StopRule) -> None:
        channel_fd = -1
        if self._prepare is not None:
            launch, channel_fd = self._prepare(key, launch)
        # The reader in this process holds the read ends itself: a dead reader here is a dead store too.
        entry = self._store.spawn(
            self, key, launch, replaces=replaces, ends=ends.give(), channel_fd=channel_fd, stop=stop
        )
        self._loop.soon(lambda: self._answer(entry))

    def _answer(self, entry: Entry) -> None:
        if entry.cause is not None:
            self._answers.spawn_failed(entry.key, entry.cause)
        else:
            self._answers.spawned(entry.key, entry.pid, entry.started)

    def signal(self, key: str, number: int, *, main: bool = False) -> None:
        self._store.signal(key, number, main=main)

    def drop(self, key: str) -> None:
        self._store.drop(key)

    def note(self, name: str, blob: dict[str, Any] | None) -> None:
        """Nobody would read it: what dies with this process dies with its store."""

    note_with_next = note

    def keep(self, _key: str, _name: str, _fd: int, then: Callable[[bool], None]) -> None:
        """Likewise: there will be no successor to read it."""
        self._loop.soon(lambda: then(True))

    def let_go(self, _key: str, _name: str) -> None:
        """There is no copy."""

    def exited(self, entry: Entry) -> None:
        self._answers.exited(entry.key, entry.status, entry.empty, used=entry.used)

    def emptied(self, entry: Entry) -> None:
        self._answers.emptied(entry.key)


class RemoteSpawner:
    """The store is in `start`. When `start` dies, what it spawned can still be signalled, by pidfd, to end it."""

    def __init__(self, loop: Loop, channel: Channel, answers: Answers, home_id: str) -> None:
        self._loop = loop
        self._channel = channel
        self._answers = answers
        self._home_id = home_id
        self._asked: set[str] = set()  # spawns that have not been answered yet
        self._alive: dict[str, tuple[int, int]] = {}
        self._pidfds: dict[str, int] = {}
        self._sent: dict[str, tuple[float, int, bool]] = {}  # last signal: when, number, main process only
        self._keeping: dict[tuple[str, str], list[Callable[[bool], None]]] = {}  # what its answers are for, in order
        self._alone = False

    # asking

    def spawn(self, key: str, launch: Launch, *, replaces: str, ends: Ends, stop: StopRule) -> None:
        if self._alone:
            ends.close_given()
            self._not_sent(key, "", Cause(CauseKind.SYSTEM, "start is dead, and nobody else spawns"))
            return
        request = {"verb": "spawn", "key": key, "replaces": replaces, "stop": list(stop), "ends": list(ends.named())}
        request["address"] = ends.address
        self._asked.add(key)
        self._gone(replaces)
        try:
            fds = _sendable(ends)
        except OSError as error:
            ends.close_given()
            self._not_sent(key, replaces, Cause(CauseKind.SYSTEM, f"could not be asked for: {error.strerror}"))
            return
        ends.give()
        try:
            self._channel.send_encoded(_with_launch(request, launch), fds, close_fds=True)
        except BadFrame:
            cause = Cause(CauseKind.NOT_EXECUTABLE, "its arguments and environment are too long to be passed on")
            self._not_sent(key, replaces, cause)

    def _not_sent(self, key: str, replaces: str, cause: Cause) -> None:
        self._asked.discard(key)
        if replaces:
            self.drop(replaces)
        self._loop.soon(lambda: self._answers.spawn_failed(key, cause))

    def signal(self, key: str, number: int, *, main: bool = False) -> None:
        if not self._alone:
            self._sent[key] = (self._loop.clock.now(), number, main)
            # Those of a stop of many go together: start must not read one by one what it could do at once.
            self._channel.send_with_others({"verb": "signal", "key": key, "number": number, "main": main})
        elif key in self._pidfds and main:
            proc.signal_held(self._pidfds[key], number)
        elif key in self._pidfds:
            proc.signal_group(self._pidfds[key], self._alive[key][0], number)

    def drop(self, key: str) -> None:
        self._gone(key)
        if not self._alone:
            self._channel.send({"verb": "drop", "key": key})

    def note(self, name: str, blob: dict[str, Any] | None) -> None:
        if not self._alone:
            self._channel.send({"verb": "note", "name": name, "blob": blob})

    def note_with_next(self, name: str, blob: dict[str, Any] | None) -> None:
        """In one packet with what is asked next in this turn: both arrive, or none."""
        if not self._alone:
            self._channel.send_with_next({"verb": "note", "name": name, "blob": blob})

    def keep(self, key: str, name: str, fd: int, then: Callable[[bool], None]) -> None:
        """A descriptor for a successor. `then`: once `start` has it, or it is known that it won't."""
        try:
            copy = -1 if self._alone else os.dup(fd)
        except OSError:
            copy = -1
        if copy < 0:
            then(False)
            return
        self._keeping.setdefault((key, name), []).append(then)
        self._channel.send({"verb": "keep", "key": key, "name": name}, [copy], close_fds=True)

    def let_go(self, key: str, name: str) -> None:
        """Nobody needs it any more. An older `start` keeps it, and answers as to one that was lost on the way."""
        if not self._alone:
            self._keeping.setdefault((key, name), []).append(lambda _is_kept: None)
            self._channel.send({"verb": "keep", "key": key, "name": name, "let_go": True})

    # hearing

    def receive(self, message: Message) -> bool:
        """Take an answer of `start`; False: it is not for us."""
        did = message.get("did")
        key = message.get("key", "")
        self._asked.discard(key)
        if did == "spawned":
            self._alive[key] = (message["pid"], message["started"])
            self._answers.spawned(key, message["pid"], message["started"])
        elif did == "failed":
            self._answers.spawn_failed(key, Cause.from_dict(message["cause"]))
        elif did == "exit":
            if message["empty"]:
                self._gone(key)
            used = message.get("used")
            self._answers.exited(
                key, message["status"], message["empty"], message.get("oom"), used and tuple(used),
                ended=ended_of(message),
            )  # fmt: skip
        elif did == "empty":
            self._gone(key)
            self._answers.emptied(key)
        elif did == "kept":
            self._kept((key, message["name"]), message["is_kept"])
        else:
            return False
        return True

    def _kept(self, what: tuple[str, str], is_kept: bool) -> None:
        waiting = self._keeping.pop(what, [])
        if len(waiting) > 1:
            self._keeping[what] = waiting[1:]
        if waiting:
            waiting[0](is_kept)

    def adopt(self, key: str, pid: int, started: int) -> None:
        """A process that an earlier scheduler had asked for."""
        self._alive[key] = (pid, started)

    def _gone(self, key: str) -> None:
        self._alive.pop(key, None)
        self._sent.pop(key, None)

    # without `start`

    def go_alone(self) -> None:
        """`start` is dead: watch the ends ourselves, as far as that goes (no exit codes: not our children)."""
        self._alone = True
        self._find_unanswered()
        for key in list(self._alive):
            self._watch(key)
        self._send_again()
        if self._asked:
            self._loop.after(LOOK_AGAIN_S, self._give_up_asking)

    def _send_again(self) -> None:
        """`start` may have died before it read what it was asked a moment ago. Twice does less harm than never."""
        since = self._loop.clock.now() - UNREAD_S
        for key, (at, number, main) in self._sent.items():
            if at >= since:
                self.signal(key, number, main=main)
        self._sent.clear()

    def _watch(self, key: str) -> None:
        pid, started = self._alive[key]
        fd = proc.open_pidfd(pid, started)
        if fd is None:
            self._loop.soon(lambda: self._ended(key))
            return
        self._pidfds[key] = fd
        self._loop.watch(fd, READ, lambda _events: self._ended(key))

    def _find_unanswered(self) -> list[str]:
        """`start` may have spawned it and died before it could say so: the marker in its environment says it."""
        found = []
        for pid, key in find_marked(self._home_id) if self._asked else ():
            started = proc.start_time(pid)
            # Its children have the marker, too; it leads the session that it was spawned into.
            if key in self._asked and started is not None and proc.session_of(pid) == pid:
                self._asked.discard(key)
                self._alive[key] = (pid, started)
                self._loop.soon(lambda key=key, pid=pid, at=started: self._answers.spawned(key, pid, at))  # type: ignore[misc]
                found.append(key)
        return found

    def _give_up_asking(self) -> None:
        """One that was just being made carries its marker by now; what has none was never made."""
        for key in self._find_unanswered():
            self._watch(key)
        lost = Cause(CauseKind.SYSTEM, "start died before it could be spawned")
        asked, self._asked = self._asked, set()
        for key in asked:
            self._answers.spawn_failed(key, lost)

    def _ended(self, key: str) -> None:
        fd = self._pidfds.pop(key, -1)
        known = self._alive.pop(key, None)
        if fd >= 0 and known is not None:
            # The leader has gone as asked; nobody is left to wait for the rest, so the rest goes now.
            proc.signal_group(fd, known[0], signal.SIGKILL)
            self._loop.unwatch(fd)
            os.close(fd)
        self._answers.exited(key, None, True)


def _with_launch(request: Message, launch: Launch) -> bytes:
    """A service is launched in the same way again and again; who waits for its return does not wait for that."""
    launch.encoded = launch.encoded or encode(launch.as_message())
    return b'%b,"launch":%b}' % (encode(request)[:-1], launch.encoded)


def _sendable(ends: Ends) -> list[int]:
    """In the order of their names: copies of what both sides keep, and what only the process will have."""
    fds: list[int] = []
    try:
        for name, fd in ends.named().items():
            fds.append(os.dup(fd) if name in KEPT else fd)
    except OSError:
        close_fds(*(fd for fd in fds if fd not in (ends.out_write, ends.err_write)))
        raise
    return fds
