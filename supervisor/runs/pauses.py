"""What is paused: everything, by a file that anybody can touch, or single schedules, by their wishes.

The file is the pause itself. It is looked at before each claim, so nothing starts while it is there; the kernel's
news of the folder only makes what is shown prompt.
"""

from __future__ import annotations

import os

from supervisor.base.clock import iso, stamp
from supervisor.base.errors import Problem
from supervisor.base.files import read_small, write_atomic
from supervisor.base.inotify import FolderWatch
from supervisor.model.pause import MAX_BYTES, NAME, decode, encode
from supervisor.model.wishes import ON_RESUME
from supervisor.runs.made_up import BEFORE_S
from supervisor.runs.moments import from_iso
from supervisor.runs.resuming import end_of_all, make_up, resume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.loop import Timer
    from supervisor.runs.desk import Desk

OVER = "its time is over"
RETRY_S = 5.0  # where that can't be kept


class Pause:
    """Times are wall clock."""

    __slots__ = ("at", "by", "on_resume", "reason", "until")

    def __init__(self, at: float, by: str, reason: str, until: float | None, on_resume: str = ON_RESUME[0]) -> None:
        self.at = at
        self.by = by
        self.reason = reason
        self.until = until
        self.on_resume = on_resume

    @property
    def by_whom(self) -> str:
        because = f": {self.reason}" if self.reason else ""
        until = f", until {stamp(self.until)}" if self.until else ""
        return f"by {self.by}{because}{until}" if self.by else f"{because.removeprefix(': ')}{until}"

    @property
    def text(self) -> str:
        return f"paused since {stamp(self.at)} {self.by_whom}".rstrip()

    def as_dict(self) -> dict[str, Any]:
        until = iso(self.until) if self.until else None
        return {"at": iso(self.at), "by": self.by, "reason": self.reason, "until": until}


class Pauses:
    """Of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._path = desk.home.pause_file
        self._seen: Pause | None = None
        self._over: Pause | None = None  # that which has ended just now
        self._inode = (0, 0)
        self._timer: Timer | None = None
        self._watch: FolderWatch | None = None
        self._is_looked_at = False
        self._is_refused = False  # it was told that the end of one can't be kept

    def begin(self) -> None:
        try:
            self._watch = FolderWatch(self._desk.loop, self._desk.home.path, self._changed)
        except OSError:
            self._watch = None  # the looks before each claim, and with each heartbeat, have to do
        self.look()
        self._arm()

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def of(self, name: str) -> Pause | None:
        """That of all, else its own."""
        return (self._seen if self._is_looked_at else self.look()) or self._own(name)

    def look_once_for(self, call: Callable[[], None]) -> None:
        """Whatever is decided in it is one decision: a thousand slots that are due at once are worth one look."""
        self.look()
        self._is_looked_at = True
        try:
            call()
        finally:
            self._is_looked_at = False

    def of_all(self) -> Pause | None:
        return self._seen

    def _own(self, name: str) -> Pause | None:
        pause = self._desk.wishes.paused(name)
        if pause is None or (pause["until"] and pause["until"] <= self._desk.loop.clock.wall()):
            return None
        return Pause(pause["at"], pause["by"], pause["reason"], pause["until"])

    # the file

    def _changed(self, names: set[str]) -> None:
        if NAME in names or "" in names:
            self.look()

    def look(self) -> Pause | None:
        """One look at the name. What is new is read, and told once."""
        before = self._seen
        try:
            found = os.stat(self._path, follow_symlinks=False)
        except OSError:
            if before is not None:
                self._seen, self._inode = None, (0, 0)
                self._desk.telling.resumed("")
                self._over = before
                if self._desk.planner.begun:
                    self._desk.loop.soon(self.go_on)
            return None
        if self._seen is None or self._inode != (found.st_ino, found.st_mtime_ns):
            self._inode = (found.st_ino, found.st_mtime_ns)
            self._seen = self._read(found.st_mtime)
            if before is None:
                self._desk.changes += 1
                self._desk.telling.paused(self._seen)
            self._arm()
        if self._seen.until and self._seen.until <= self._desk.loop.clock.wall():
            self._remove(self._seen)
        return self._seen

    def go_on(self) -> None:
        """After the pause of all that has ended last, if there was one."""
        pause, self._over = self._over, None
        if pause is not None:
            make_up(self._desk, dict.fromkeys(self._desk.plans, (pause.on_resume, pause.at, pause.until)))

    def spans(self, name: str) -> list[tuple[float, float | None]]:
        """From when to when it is paused, by that of all and by its own; also by one that has ended unseen."""
        found = [(pause.at, pause.until) for pause in (self._over, self._seen) if pause is not None]
        own = self._desk.wishes.paused(name)
        if own is not None:
            found.append((own["at"], own["until"]))
        wishes = self._desk.wishes
        over = [*wishes.owed(name).values(), *filter(None, [wishes.held(name)])]  # its rows are perhaps not on the disk
        found += [(first, last + BEFORE_S) for first, last in over]
        found.sort(key=_first)
        return found

    def _read(self, at: float) -> Pause:
        try:
            said = decode(read_small(self._path, MAX_BYTES))
        except OSError:
            said = decode(b"")
        return Pause(at, said["by"], said["reason"], from_iso(said["until"] or ""), said["on_resume"])

    def _remove(self, pause: Pause) -> None:
        try:
            end_of_all(self._desk, (pause.on_resume, pause.at, pause.until), self._unlink)
        except OSError:
            if self._seen is not None:
                self._seen.until = None  # it can't be taken away: it pauses for good
            return
        self.look()

    def _unlink(self) -> None:
        os.unlink(self._path)

    # asking

    def pause_all(self, by: str, reason: str, until_text: str, on_resume: str = "") -> bool:
        """False: it was paused already, and nothing else is said of it now. An OSError is the asker's affair."""
        before = self.look()
        if before is not None and not reason and not until_text and not on_resume:
            return False
        since = self._inode[1]
        write_atomic(self._path, encode(by or NAME, reason, until_text, on_resume), mode=0o644)
        if before is not None:
            os.utime(self._path, ns=(since, since))  # since when: what it has held until now is still held
        after = self.look()
        if before is not None and after is not None:
            self._desk.telling.paused(after)
        return True

    def resume_all(self, what: str = "") -> bool:
        """`what` is to run of what was held; "": as it was said when all was paused."""
        pause = self.look()
        if pause is None:
            return False
        how = what or pause.on_resume
        end_of_all(self._desk, (how, pause.at, pause.until), self._unlink)
        pause.on_resume = how
        self.look()
        return True

    # those that end by themselves

    def _arm(self, least: float = 0.0) -> None:
        """One timer for the pause that ends next; not before so many seconds."""
        desk, now = self._desk, self._desk.loop.clock.wall()
        ends = [pause["until"] for pause in desk.wishes.pauses().values() if pause["until"]]
        if self._seen is not None and self._seen.until:
            ends.append(self._seen.until)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if ends:
            self._timer = desk.loop.after(min(max(min(ends) - now, least), 30.0) + 0.01, self._end_those_over)

    def review(self) -> None:
        """Other wishes."""
        self._arm()

    def _end_those_over(self) -> None:
        self._timer = None
        self.look()
        now = self._desk.loop.clock.wall()
        over = [name for name, pause in self._desk.wishes.pauses().items() if pause["until"] and pause["until"] <= now]
        try:
            resume(self._desk, over, OVER)
        except Problem as problem:  # a full disk, say: they run on time again, but what is owed has to be kept first
            if not self._is_refused:
                self._desk.telling.not_kept(problem.text(), "that a pause is over")
            self._is_refused = True
            self._arm(RETRY_S)
        else:
            self._is_refused = False
            self._arm()


def _first(span: tuple[float, float | None]) -> float:
    return span[0]
