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
WAITING = "service.waiting"
WAITS_LONG = "service.waits_long"
EXTERNAL = "service.external"
UNHEALTHY = "service.unhealthy"
WATCHDOG = "service.watchdog"
OVER_LIMIT = "service.over_limit"
AGED = "service.aged"
HELD = "service.held"
COMMAND_FAILED = "service.command_failed"


class Spawn(Record):
    """Start the process; answered by exactly one of Spawned, SpawnFailed, Exited."""

    __slots__ = ()


class AskGate(Record):
    """Find out whether it may be started; answered, again and again, by Blocked, and at last by Cleared or Outside."""

    __slots__ = ("look",)

    def __init__(self, *, look: bool) -> None:
        self.look = look  # also for the same program, started by somebody else


class RunJob(Record):
    """Run the command of this name beside it; answered by exactly one JobEnded, which `EndJob` hurries."""

    __slots__ = ("job",)

    def __init__(self, job: str) -> None:
        self.job = job


class EndJob(Record):
    """Send this to the whole group of that command."""

    __slots__ = ("job", "number")

    def __init__(self, job: str, number: int) -> None:
        self.job = job
        self.number = number


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


Action = Spawn | AskGate | RunJob | EndJob | Signal | SetTimer | ClearTimer | Announce
