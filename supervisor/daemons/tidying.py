"""Older logs are packed and removed: prepared by a child (helpers/tidy.py), carried out here, between two turns.

The child names files by inode, and only this process renames them, as it rotates them: so a rotation in between moves
a file on under its plan, and nothing else. Each step is a look and a rename or an unlink. The plan comes through the
pipe of what the child says, since on a full disk, where it matters most, it could not be written down.
"""

from __future__ import annotations

import os

from supervisor.base import jsons
from supervisor.base.counting import counted
from supervisor.base.files import remove_quietly
from supervisor.base.rotation import PACKED, in_a_row, index_of
from supervisor.base.time_index import hand_to
from supervisor.base.where import role_command
from supervisor.core.state import State
from supervisor.engine.service import Service
from supervisor.model.event import INFO, WARNING
from supervisor.model.launch import Launch
from supervisor.model.service import Policy, Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.daemons.scheduler import Scheduler
    from supervisor.engine.jobs import Job

    Step = dict[str, Any]

NAME = "#tidy"
EVERY_S = 3600.0
LIMIT_S = 180.0
AT_ONCE = 20  # steps a turn
MAX_WORDS = 300  # of an error
MAX_PLAN = 1 << 20  # bytes; what does not fit waits for the next time


class Tidying:
    """Looked after by the tick, so that it wakes nobody."""

    def __init__(self, daemon: Scheduler) -> None:
        self._daemon = daemon
        self._job: Job | None = None
        self._last = daemon.clock.now()
        self._trouble = ""
        launch = Launch(argv=(), cwd="/", log=os.devnull)
        self._owner = Service(Spec(name=NAME, kind="helper", launch=launch, policy=Policy()), State())

    def tick(self) -> None:
        """Rotate what is old and quiet, say what was lost, and tidy up when there is a reason or once an hour."""
        daemon = self._daemon
        for service in daemon.engine.services.values():
            service.pumps.rotate_if_old()
        daemon.logs.syslog.tell_losses()
        now = daemon.clock.now()
        if self._job is None and not daemon.stopping and (daemon.logs.reasons or now >= self._last + EVERY_S):
            self._last = now
            daemon.logs.reasons = 0
            self._begin()

    def _begin(self) -> None:
        command = tuple(role_command("tidy", self._daemon.home.path, str(MAX_PLAN)))
        self._job = self._daemon.engine.jobs.run(
            self._owner, "pack", command, LIMIT_S, self._done, bare=True, kept=MAX_PLAN
        )

    def end(self) -> None:
        """The daemon goes: what is half done is done next time."""
        if self._job is not None:
            self._job.end()

    def _done(self, ok: bool, text: str) -> None:
        self._job = None
        if self._daemon.stopping:
            return
        if not ok:
            self._tell_trouble(f"old logs can't be packed or removed ({text[:MAX_WORDS]}); they stay as they are")
            return
        try:
            plan = jsons.loads(text)
        except ValueError:
            return  # the child of a predecessor is still at it
        self._tell_trouble(f"old logs can't be packed ({plan['trouble']}); they stay plain" if plan["trouble"] else "")
        if plan["removed"]:
            files, size = counted(plan["removed"], "old log file"), counted(plan["freed"], "byte")
            self._daemon.bus.tell(
                "log.removed",
                f"{files} removed ({size}): too many, too old or over a budget",
                level=INFO,
                data={"files": plan["removed"], "bytes": plan["freed"]},
            )
        self._carry_out(plan["steps"])

    def _carry_out(self, steps: list[Step]) -> None:
        for step in steps[:AT_ONCE]:
            try:
                carry_out(step)
            except OSError as error:
                self._tell_trouble(f"an old log can't be packed or removed: {error.strerror or error}")
        if len(steps) > AT_ONCE:
            self._daemon.loop.soon(lambda: self._carry_out(steps[AT_ONCE:]))

    def _tell_trouble(self, text: str) -> None:
        """Once, until it is over or another."""
        if text and text != self._trouble:
            self._daemon.bus.tell("log.failed", text, level=WARNING)
        self._trouble = text


def carry_out(step: Step) -> None:
    """One step of a plan, if the file it means is still there, under whichever number."""
    found = _find(step["log"], step["inode"], step["number"])
    if step["do"] == "remove":
        if found:
            os.unlink(found)
            remove_quietly(index_of(found))
        return
    temporary = step["temporary"]
    if not found or found.endswith(PACKED):
        remove_quietly(temporary)
        return
    # The packed one gets its name before the plain one goes: a kill in between leaves both, and the plain one counts.
    os.rename(temporary, found + PACKED)
    os.unlink(found)
    hand_to(index_of(found), step["inode"], os.stat(found + PACKED).st_ino)


def _find(log: str, inode: int, number: int) -> str:
    """Its name now, at that number or a later one; "" when it has gone.

    A day's log has one name only, and a log being written is never meant.
    """
    for each in in_a_row(log, max(number, 1)):
        if each.inode == inode:
            return each.name
    name = os.path.basename(log)
    if name[:4].isdigit():
        try:
            return log if os.stat(log, follow_symlinks=False).st_ino == inode else ""
        except OSError:
            return ""
    return ""
