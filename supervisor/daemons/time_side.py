"""Schedules and runs as the daemon has them: nothing, until there is something for them to do.

Most homes of a supervisor have servers and no schedules. What plans, gates and remembers runs is a third of this
daemon's memory and of its beginning, so it is loaded where there are schedules, runs of a predecessor or a history;
or once somebody asks for a run, or a reload brings the first schedule (docs/decisions/0022-*.md).
"""

from __future__ import annotations

import os

from supervisor.base import garbage
from supervisor.base.errors import FAILED, Problem
from supervisor.base.program import Program
from supervisor.control.api import OF_SCHEDULES
from supervisor.daemons import common
from supervisor.engine.entries import is_step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.control.api import Handler, Message
    from supervisor.control.connection import Reply
    from supervisor.daemons.scheduler import Scheduler
    from supervisor.daemons.time_desk import TimeDesk
    from supervisor.engine.adopt import Kept


class TimeSide:
    """Of one scheduler; `part` is None while nothing is loaded."""

    def __init__(self, daemon: Scheduler) -> None:
        self._daemon = daemon
        self._program: Program | None = None
        self._is_open = False  # what a predecessor left has been looked at
        self.part: TimeDesk | None = None

    # life

    def take(self, kept: Kept) -> None:
        """What is of runs in what `start` has kept; before the engine looks at the rest."""
        if any(is_step(entry["key"]) for entry in kept.entries) or any(map(is_step, kept.notes)) or self._has_work():
            self._load().take(kept)

    def _has_work(self) -> bool:
        catalogue = self._daemon.compiled.get(common.SCHEDULES)
        return bool(catalogue and catalogue.schedules) or any(map(os.path.lexists, self._daemon.home.history_files))

    def open(self) -> None:
        self._is_open = True
        if self.part is None and self._has_work():
            self._load()
        if self.part is not None:
            self.part.open()
        else:
            self._daemon.loop.soon(self._go_on_without)

    def _go_on_without(self) -> None:
        self._program = Program()
        garbage.end_loading()

    def _load(self) -> TimeDesk:
        if self.part is None:
            from supervisor.daemons.time_desk import TimeDesk

            self.part = TimeDesk(self._daemon)
        return self.part

    def _begin(self) -> TimeDesk:
        """In a daemon that has gone on without it until now."""
        if self.part is None:
            if self._daemon.stopping:
                raise Problem("the scheduler is stopping", remedy="sbctl status", code=FAILED)
            if self._program is not None and self._program.has_changed:
                raise _changed()
            try:
                self._load()
            except (ImportError, OSError, SyntaxError) as error:
                raise _not_loaded(error) from None
            if self._is_open:
                self._load().open()
        return self._load()

    def prepare(self, compiled: dict[str, Any]) -> None:
        """Before other settings are taken over: what they need can be had, or nothing is changed."""
        catalogue = compiled.get(common.SCHEDULES)
        if catalogue and catalogue.schedules:
            self._begin()

    def reload(self) -> None:
        if self.part is not None:
            self.part.reload()

    def stop_all(self, *, now: bool = False) -> None:
        if self.part is not None:
            self.part.desk.stop_all(now=now)

    @property
    def all_gone(self) -> bool:
        return self.part is None or self.part.all_gone

    def close(self) -> None:
        if self.part is not None:
            self.part.close()

    # what is asked

    def section(self) -> dict[str, Any]:
        """What the schedules of now were compiled to; {} where that can't be read any more."""
        daemon = self._daemon
        try:
            found = common.read_compiled(daemon.home, "scheduler", daemon.compiled["revision"]).get(common.SCHEDULES)
        except Problem:
            found = None
        return found or {}

    def verbs(self) -> dict[str, Handler]:
        return {verb: self._asked(verb) for verb in OF_SCHEDULES}

    def _asked(self, verb: str) -> Handler:
        def handle(args: Message, reply: Reply) -> None:
            self._begin().handlers[verb](args, reply)

        return handle

    def beat(self) -> None:
        if self.part is not None:
            self.part.desk.beat()

    def count(self) -> int:
        return len(self.part.desk.plans) if self.part is not None else 0

    def nearest(self, count: int) -> list[tuple[str, str]]:
        return self.part.desk.nearest(count) if self.part is not None else []

    def remarks(self) -> list[str]:
        return self.part.remarks() if self.part is not None else []

    def counters(self) -> dict[str, int]:
        writer = self.part.writer if self.part is not None else None
        return {
            "history_queued": writer.queued if writer is not None else 0,
            "history_lost": writer.dropped if writer is not None else 0,
        }


def _changed() -> Problem:
    return Problem(
        "nothing can be run on time yet",
        why="the scheduler has begun without schedules, and its program has been replaced since",
        remedy="sbctl upgrade, or: sbctl restart scheduler (the servers go on)",
        code=FAILED,
    )


def _not_loaded(error: Exception) -> Problem:
    return Problem(
        "nothing can be run on time yet",
        why=f"the part of the scheduler that does could not be loaded: {error}",
        remedy="once the cause is gone try again, or: sbctl restart scheduler (the servers go on)",
        code=FAILED,
    )
