"""What can happen to one service: the columns of the machine's table.

The engine filters by generation before it hands anything in: a late answer about an earlier process
never gets here, nor does a `Spawned` after the `Exited` of the same process.
"""

from __future__ import annotations

from supervisor.core.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
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

    __slots__ = ("cause", "empty")

    def __init__(self, cause: Cause, *, empty: bool) -> None:
        self.cause = cause
        self.empty = empty


class Emptied(Record):
    """The last process of the group has gone."""

    __slots__ = ()


class Timer(Record):
    """The timer set with this token is due."""

    __slots__ = ("token",)

    def __init__(self, token: int) -> None:
        self.token = token


class PolicyChanged(Record):
    """A person has changed the settings of this service."""

    __slots__ = ()


Input = StartAsked | StopAsked | RestartAsked | Spawned | SpawnFailed | Ready | Exited | Emptied | Timer | PolicyChanged

INPUTS: tuple[type[Record], ...] = (
    StartAsked,
    StopAsked,
    RestartAsked,
    Spawned,
    SpawnFailed,
    Ready,
    Exited,
    Emptied,
    Timer,
    PolicyChanged,
)
