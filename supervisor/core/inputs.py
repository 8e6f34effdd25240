"""What can happen to one service: the columns of the machine's table.

The engine filters by generation before it hands anything in: a late answer about an earlier process
never gets here, nor does a `Spawned` after the `Exited` of the same process.
"""

from __future__ import annotations

from supervisor.core.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.core.state import Ending
    from supervisor.model.cause import Cause


class StartAsked(Record):
    """A person, or the settings at the start, want it up."""

    __slots__ = ()


class StopAsked(Record):
    """A person wants it down; `now` leaves out the friendly signal."""

    __slots__ = ("now",)

    def __init__(self, *, now: bool = False) -> None:
        self.now = now


class RestartAsked(Record):
    """A person, or a change of how it is launched, wants it ended and started again."""

    __slots__ = ()


class Spawned(Record):
    """The process asked for by `Spawn` is there."""

    __slots__ = ()


class SpawnFailed(Record):
    """There is no process; a cause of kind SYSTEM says that it isn't the service's fault."""

    __slots__ = ("cause",)

    def __init__(self, cause: Cause) -> None:
        self.cause = cause


class Ready(Record):
    """The service says that it is ready."""

    __slots__ = ()


class Exited(Record):
    """The main process has ended; `empty` when nothing else is left in its group."""

    __slots__ = ("at", "cause", "empty")

    def __init__(self, cause: Cause, *, empty: bool, at: float | None = None) -> None:
        self.cause = cause
        self.empty = empty
        self.at = at  # monotonic, where it is heard of later; None: now


class Emptied(Record):
    """The last process of the group has gone."""

    __slots__ = ()


class Timer(Record):
    """The timer set with this token is due."""

    __slots__ = ("lacks", "token")

    def __init__(self, token: int, *, lacks: str = "") -> None:
        self.token = token
        self.lacks = lacks  # why it is not ready, if that is waited for and known


class PolicyChanged(Record):
    """A person has changed the settings of this service."""

    __slots__ = ()


class Cleared(Record):
    """Everything that must come before the start is there."""

    __slots__ = ()


class Blocked(Record):
    """Something that must come before the start is not there (yet); `reason` names it."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Outside(Record):
    """The same program runs already, started by somebody else."""

    __slots__ = ("pid",)

    def __init__(self, pid: int) -> None:
        self.pid = pid


class OutsideGone(Record):
    """That one has ended."""

    __slots__ = ()


class JobEnded(Record):
    """A command beside the service's own has ended: `ok` is exit 0, `text` how else."""

    __slots__ = ("cause", "job", "ok", "text")

    def __init__(self, job: str, *, ok: bool, text: str = "", cause: Cause | None = None) -> None:
        self.job = job
        self.ok = ok
        self.text = text
        self.cause = cause  # why there was no process at all


class MustEnd(Record):
    """Whoever watches it has found a reason to end it; `ending` says which, `text` with its numbers."""

    __slots__ = ("data", "ending", "text")

    def __init__(self, ending: Ending, text: str, data: dict[str, Any] | None = None) -> None:
        self.ending = ending
        self.text = text
        self.data = data or {}


class MoreTime(Record):
    """The service asks for so many seconds from now on to become ready, or to end."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


Input = (
    StartAsked
    | StopAsked
    | RestartAsked
    | Cleared
    | Blocked
    | Outside
    | OutsideGone
    | Spawned
    | SpawnFailed
    | Ready
    | JobEnded
    | MustEnd
    | MoreTime
    | Exited
    | Emptied
    | Timer
    | PolicyChanged
)

INPUTS: tuple[type[Record], ...] = (
    StartAsked,
    StopAsked,
    RestartAsked,
    Cleared,
    Blocked,
    Outside,
    OutsideGone,
    Spawned,
    SpawnFailed,
    Ready,
    JobEnded,
    MustEnd,
    MoreTime,
    Exited,
    Emptied,
    Timer,
    PolicyChanged,
)
