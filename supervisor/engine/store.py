"""The store: spawns, reaps and keeps every process of a home. It decides nothing.

It lives in `start`, so that whatever happens to the one who decides (the scheduler), no process, no exit
code and no pipe is lost. An entry lives until its key is replaced or dropped:

    spawn(key)   idempotent by key: asked twice, there is one process
    exit         the wait status is stored in the entry, recorded, then told
    empty        told once the whole group is gone, escaped children of it included

Nothing here can block: exec goes through a shell shim (see `environment`) unless all of it lies on our own disk (see
`straight`), waiting is `WNOHANG`.
"""

from __future__ import annotations

import os
import resource
import signal

from supervisor.base import proc
from supervisor.engine.cgroup import Cgroups
from supervisor.engine.dry import Dry
from supervisor.engine.entries import Entry, close_fds, is_step
from supervisor.engine.escapes import signal_escaped
from supervisor.engine.making import Asked, Maker, Making
from supervisor.engine.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from supervisor.base.loop import Loop, Timer
    from supervisor.engine.entries import Ends, Listener
    from supervisor.engine.records import RecordFile
    from supervisor.model.service import Launch, StopRule


REMAINDER_POLL_S = 0.1
REAPED_AT_ONCE = 16  # exits, while somebody asks
_FRIENDLY = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


class Store:
    """A table by key and by pid, and the only caller of spawn, wait and kill."""

    def __init__(
        self,
        loop: Loop,
        records: RecordFile,
        *,
        base_env: Mapping[str, str],
        home_id: str,
        open_files: int,
    ) -> None:
        self._loop = loop
        self._records = records
        self.home_id = home_id
        self.entries: dict[str, Entry] = {}
        self._by_pid: dict[int, Entry] = {}
        self._remaining: dict[str, Entry] = {}  # main process gone, somebody of it not
        self._dropped: list[Entry] = []  # forgotten by whoever asked, and waited for until they are gone
        self._children = proc.Children(os.getpid())
        self.cgroups = Cgroups(home_id)
        self.maker = Maker(records, self.cgroups, base_env=base_env, home_id=home_id, open_files=open_files)
        self._dry = Dry()
        self._poll: Timer | None = None
        self.is_asked: Callable[[], bool] = lambda: False  # a request waits to be read
        self._goes_on = False

    # what can be asked

    def spawn(
        self,
        listener: Listener,
        key: str,
        launch: Launch,
        *,
        replaces: str = "",
        ends: Ends,
        channel_fd: int = -1,
        stop: StopRule,
    ) -> Entry:
        """Start a process for `key`, or answer with the one that is there. What it writes to is closed here."""
        return self.spawn_all(listener, [Asked(key, launch, ends, stop, replaces=replaces, channel_fd=channel_fd)])[0]

    def spawn_all(self, listener: Listener, asked: list[Asked]) -> list[Entry]:
        """The same for many. None of them may replace another one."""
        entries: list[Entry] = []
        batch: list[Making] = []
        for each in asked:
            entry = self.entries.get(each.key)
            if entry is None:
                if each.replaces:
                    self.drop(each.replaces)
                entry = self.entries[each.key] = Entry(each.key, each.launch, listener, each.ends, each.stop)
                batch.append(Making(entry, each))
            else:
                each.close()
            entries.append(entry)
        self.maker.make(batch)
        for making in batch:
            self._keep(making.entry)
        return entries

    def _keep(self, entry: Entry) -> None:
        if entry.cause is None:
            self._by_pid[entry.pid] = entry
        else:
            entry.empty = True
            self._leave_group(entry)

    def drop(self, key: str) -> None:
        """Forget an entry. What still runs of it is ended: nothing may live that nobody knows."""
        entry = self.entries.pop(key, None)
        if entry is None:
            return
        if not entry.empty:
            self.signal_entry(entry, signal.SIGKILL)
            self._dropped.append(entry)
            self._keep_polling()
        self._remaining.pop(key, None)
        entry.close()

    def signal(self, key: str, number: int, *, main: bool = False) -> None:
        """Everything that belongs to it, or only its main process: a message to that, not an order to end."""
        entry = self.entries.get(key)
        if entry is None or entry.empty or not entry.pid:
            return
        if not main:
            self.signal_entry(entry, number)
        elif entry.running:
            proc.signal_held(entry.pidfd, number)

    def signal_entry(self, entry: Entry, number: int) -> None:
        """The whole group, and whoever of it has left the group and is proven."""
        entry.signalled = number
        proc.signal_group(entry.pidfd, entry.pid, number)
        signal_escaped(entry.pid, entry.escaped, number)
        if number in _FRIENDLY:  # one that is suspended could not even obey
            proc.signal_group(entry.pidfd, entry.pid, signal.SIGCONT)
        if entry.place is not None:
            entry.place.told = set(entry.escaped)
            entry.place.signal(number, entry.pid)

    # reaping

    def reap(self) -> None:
        """On SIGCHLD: take every exit there is; strangers that came to us as orphans too.

        Requests come first: where hundreds are being stopped, those who still run would wait for the books of all
        who have gone.
        """
        ended: list[Entry] = []
        while True:
            if len(ended) >= REAPED_AT_ONCE and len(ended) % REAPED_AT_ONCE == 0 and self.is_asked():
                self._go_on()
                break
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            entry = self._by_pid.pop(pid, None)
            if entry is not None:
                entry.status = status
                entry.ended = (self._loop.clock.wall(), self._loop.clock.now())
                entry.used = (int((used.ru_utime + used.ru_stime) * 1000), _peak(used.ru_maxrss))
                ended.append(entry)
        if ended or self._remaining or self._dropped:
            self._settle_groups(ended)

    def _go_on(self) -> None:
        """With the rest, once what waits has been read."""
        if not self._goes_on:
            self._goes_on = True
            self._loop.soon(self._reap_rest)

    def _reap_rest(self) -> None:
        self._goes_on = False
        self.reap()

    def _settle_groups(self, ended: list[Entry]) -> None:
        orphans = self._orphans_by_key()
        for entry in ended:
            if not self._check_gone(entry, orphans) and self.entries.get(entry.key) is entry:
                self._remaining[entry.key] = entry
        earlier = [entry for entry in self._remaining.values() if entry not in ended]
        emptied = [entry for entry in earlier if self._check_gone(entry, orphans)]
        self._dropped = [entry for entry in self._dropped if entry.running or not self._check_gone(entry, orphans)]
        self._keep_polling()
        # An exit that has been waited for does not come again: one that can't be told must not cost the others.
        for entry in ended:
            if self.entries.get(entry.key) is entry:
                self._loop.guard(entry.listener.exited, entry)
        for entry in emptied:
            self._loop.guard(entry.listener.emptied, entry)
        self._dry.look()

    def _check_gone(self, entry: Entry, orphans: dict[str, list[int]]) -> bool:
        """Its main process has ended; is everybody else of it gone too?"""
        if not entry.empty and self._is_empty(entry, orphans):
            entry.empty = True
            self._gone(entry)
        return entry.empty

    def _gone(self, entry: Entry) -> None:
        self._remaining.pop(entry.key, None)
        self._records.ended(entry.key)
        self._leave_group(entry)
        close_fds(entry.pidfd)
        entry.pidfd = -1
        if is_step(entry.key):
            self._dry.put(entry)

    def _leave_group(self, entry: Entry) -> None:
        if entry.place is not None:
            entry.place.remove()
            entry.place = None

    def _is_empty(self, entry: Entry, orphans: dict[str, list[int]]) -> bool:
        found = orphans.get(entry.key, [])
        if entry.signalled:
            signal_escaped(entry.pid, [pid for pid in found if pid not in entry.escaped], entry.signalled)
        entry.escaped = found
        if entry.place is not None and entry.place.is_populated():
            if entry.signalled:
                entry.place.told.update(found)
                entry.place.signal(entry.signalled, entry.pid)
            return False
        return not entry.escaped and not proc.signal_group(entry.pidfd, entry.pid, 0)

    def _orphans_by_key(self) -> dict[str, list[int]]:
        """Processes that were reparented to us, by the key in the environment they were started with.

        We are the sub-reaper, so whoever escapes its group by a double fork becomes our child: no walk
        over the whole of /proc is needed to find it.
        """
        found: dict[str, list[int]] = {}
        home = os.fsencode(self.home_id)
        for pid in self._children.read():
            if pid in self._by_pid or not proc.is_alive(pid):
                continue
            env = proc.environment_of(pid)
            if env.get(b"SB_HOME_ID") == home:
                found.setdefault(os.fsdecode(env.get(b"SB_KEY", b"")), []).append(pid)
        return found

    def _keep_polling(self) -> None:
        """Most ends in a group reach us as a SIGCHLD; those whose parent lives elsewhere do not."""
        if (self._remaining or self._dropped) and self._poll is None:
            self._poll = self._loop.after(REMAINDER_POLL_S, self._poll_again)

    def _poll_again(self) -> None:
        self._poll = None
        if self._remaining or self._dropped:
            self._settle_groups([])

    def strangers(self) -> list[tuple[int, str]]:
        """Children that came to us and can't be attributed: named to the person, never ended."""
        known = {pid for entry in self._remaining.values() for pid in entry.escaped}
        return [
            (pid, proc.command_of(pid))
            for pid in self._children.read()
            if pid not in self._by_pid and pid not in known and proc.is_alive(pid)
        ]

    def anybody_left(self) -> bool:
        return bool(self._by_pid or self._remaining)

    # going over to the program that this process becomes

    def hand_on(self) -> dict[str, Any]:
        return {
            "entries": [entry.hand_on() for entry in self.entries.values()],
            "dropped": [entry.hand_on() for entry in self._dropped],
            "cgroups": self.cgroups.found,
        }

    def take_up(self, data: dict[str, Any], listener_of: Callable[[str], Listener]) -> None:
        """Processes, descriptors and numbers are what they were; all of it is ours already."""
        self.cgroups.found = data["cgroups"]
        for each in data["entries"] + data["dropped"]:
            entry = Entry.take_up(each, listener_of(each["key"]))
            if entry.running:
                self._by_pid[entry.pid] = entry
            if each in data["dropped"]:
                self._dropped.append(entry)
            else:
                self.entries[entry.key] = entry
                if entry.pid and not entry.running and not entry.empty:
                    self._remaining[entry.key] = entry
                elif entry.empty and is_step(entry.key):
                    self._dry.put(entry)
            if not entry.empty:
                self._records.know(Record(entry.key, entry.pid, entry.started, entry.inode, entry.stop))
        self._keep_polling()

    def kill_all(self, only: Listener | None = None) -> None:
        """The last resort of a bounded stop."""
        for entry in list(self.entries.values()):
            if not entry.empty and (only is None or entry.listener is only):
                self.signal_entry(entry, signal.SIGKILL)


def _peak(kib: int) -> int:
    """Bytes; 0 where it says nothing: until its exec a child counts with our own pages."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kib * 1024 if kib > own else 0
