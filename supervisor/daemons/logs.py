"""Where the scheduler's events and its servers' output end up: the journal first, then the daily log."""

from __future__ import annotations

import os

from supervisor.base.counting import counted
from supervisor.core.actions import EXITED
from supervisor.events.daily import DailyLog
from supervisor.events.journal import Journal
from supervisor.events.output import ended_by
from supervisor.events.syslog import Syslog
from supervisor.model.event import ERROR, INFO, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.base.loop import Loop, Timer
    from supervisor.events.bus import Bus
    from supervisor.model.event import Event
    from supervisor.model.home import Home


class Logs:
    """Readers of the bus, and the end of every pump."""

    def __init__(self, loop: Loop, home: Home, compiled: dict[str, Any], bus: Bus) -> None:
        self._loop = loop
        self._bus = bus
        self.journal = Journal(home.journal_file, int(loop.clock.wall() * 1000), clock=loop.clock)
        self.daily = DailyLog(home.daily_folder, loop.clock)
        self.set_limits(compiled)
        self.syslog = Syslog(loop.clock, self._not_copied)
        self.reasons = 0  # to tidy up, since somebody last did: rotations, and what the disk would not take
        self._flush: Timer | None = None
        self.last_activity = loop.clock.wall()
        bus.add(self.journal.write)
        bus.add(self._daily, patient=True)

    def set_limits(self, compiled: dict[str, Any]) -> None:
        """Of what is copied for people."""
        lines_per_s = max(1, int(compiled["daily_lines_per_s"]))  # a person may have written 0.5
        self.daily.set_limits(lines_per_s, compiled["daily_bytes_per_min"])

    def _daily(self, event: Event) -> None:
        self.last_activity = event.at
        if name := ended_by(event):
            self.daily.finish(name)
        self.daily.event(event)

    # a server's output

    def output(self, name: str, stream: str, fd: int, start: int, end: int) -> None:
        """Bytes were added to the raw file: read back what the daily log will take of them."""
        self._bus.give_owed()
        self.last_activity = self._loop.clock.wall()
        take = min(self.daily.room(name, self._loop.clock.now(), stream), end - start)
        if take:
            try:
                self.daily.output(name, os.pread(fd, take, start), stream)
            except OSError:
                take = 0  # the raw file has it; the copy for people goes without
        if end - start > take:
            self.daily.skipped(name, end - start - take, stream)
        if self._flush is None:
            self._arm()

    def _arm(self) -> None:
        due = self.daily.flush_due()
        if due is not None:
            self._flush = self._loop.at(due, self._flush_now)

    def _flush_now(self) -> None:
        self._flush = None
        self.daily.flush(self._loop.clock.now())
        self._arm()

    def trouble(self, name: str, text: str, lost: int) -> None:
        """The disk refuses a server's raw file, or takes it again. Said once each."""
        if text:
            self.reasons += 1
            self._bus.tell(
                "log.failed",
                f"{name}: its output can't be written ({text}); it runs on, what it says is dropped and counted",
                service=name,
                level=ERROR,
            )
        else:
            self._bus.tell(
                "log.recovered",
                f"{name}: its output is written again; lost: {counted(lost, 'byte')}",
                service=name,
                level=INFO,
                data={"lost": lost},
            )

    def rotated(self, name: str, trouble: str) -> None:
        """A raw file was rotated, or can't be."""
        self.reasons += 1
        if trouble:
            self._bus.tell(
                "log.failed",
                f"{name}: its log can't be rotated ({trouble}); nothing is lost, the file goes on growing",
                service=name,
                level=ERROR,
            )

    def _not_copied(self, name: str, lines: int, why: str, stream: str) -> None:
        noun, verb = ("line", "was") if lines == 1 else ("lines", "were")
        noun += f" of its {stream}" if stream else ""
        text = (
            f"{name}: {lines} {noun} {verb} not copied to syslog ({why}); "
            f"{'it is' if lines == 1 else 'they are'} in its log"
        )
        data = {"lines": lines, "why": why, "stream": stream.removeprefix("std") or None}
        self._bus.tell("log.not_copied", text, service=name, level=WARNING, data=data)

    def close(self) -> None:
        self._bus.give_owed()
        self.syslog.close()
        self.daily.close()
        self.journal.close()


def told_exits(past: list[dict[str, Any]]) -> frozenset[tuple[str, int]]:
    """Keys and pids whose end is in the journal: a predecessor wrote it and was killed before it went on.

    Keys alone would not do: they begin anew with each `start`.
    """
    return frozenset(
        (event["data"].get("key"), event["data"].get("pid"))
        for event in past
        if event.get("kind") == EXITED and isinstance(event.get("data"), dict)
    )
