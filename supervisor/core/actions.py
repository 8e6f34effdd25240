"""What the machine asks the engine to do. In the order given; none of them answers at once."""

from __future__ import annotations

from supervisor.core.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The kinds of Announce, which become the kinds of events.
STARTED = "service.started"
READY = "service.ready"
EXITED = "service.exited"
BACKING_OFF = "service.backing_off"
SLOWED = "service.slowed"
GAVE_UP = "service.gave_up"
STOPPING = "service.stopping"
STOPPED = "service.stopped"
KILLED = "service.killed"
SPAWN_FAILED = "service.spawn_failed"
NOT_READY = "service.not_ready"


class Spawn(Record):
    """Start the process; answered by exactly one of Spawned, SpawnFailed, Exited."""

    __slots__ = ()


class Signal(Record):
    """Send this to the whole process group."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


class SetTimer(Record):
    """Hand in `Timer(token)` after `delay` seconds. A service has one timer: this replaces it."""

    __slots__ = ("delay", "token")

    def __init__(self, token: int, delay: float) -> None:
        self.token = token
        self.delay = delay


class ClearTimer(Record):
    """The timer isn't needed any more."""

    __slots__ = ()


class Announce(Record):
    """Tell the world. `data` is JSON; the engine makes the sentence."""

    __slots__ = ("data", "kind", "level")

    def __init__(self, kind: str, level: str, data: dict[str, Any]) -> None:
        self.kind = kind
        self.level = level
        self.data = data


Action = Spawn | Signal | SetTimer | ClearTimer | Announce
