"""All that is known about one service, and nothing that can be looked up.

It is stored with the service's entry and taken up by the next scheduler: times are monotonic, which is
one clock for all processes of a boot.
"""

from __future__ import annotations

import enum

from supervisor.model.cause import Cause
from supervisor.model.service import AFTER_END, BEFORE, Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Ending(enum.StrEnum):
    """Why we end the process ourselves."""

    NONE = ""  # we don't: it ended by itself, and at most the rest of its group is being ended
    ASKED = "asked"  # a person asked for it: no death
    NOT_READY = "not-ready"  # it was not ready in time: a death
    UNHEALTHY = "unhealthy"  # its alive check failed too often: a death
    WATCHDOG = "watchdog"  # it gave no sign of life: a death
    OVER_LIMIT = "over-limit"  # it took too much for too long: a death
    AGED = "aged"  # it is old enough to be replaced: no death
    DEPENDENCY = "dependency"  # what it requires is going: no death, it waits for that

    @property
    def is_death(self) -> bool:
        """Whether the end counts as if it had died by itself."""
        return self not in (Ending.ASKED, Ending.AGED, Ending.DEPENDENCY)


class End:
    """How the main process ended, kept until the rest of its group has gone too."""

    __slots__ = ("at", "cause", "fast")

    def __init__(self, cause: Cause, *, at: float, fast: bool) -> None:
        self.cause = cause
        self.at = at
        self.fast = fast

    def as_dict(self) -> dict[str, Any]:
        return {"cause": self.cause.as_dict(), "at": self.at, "fast": self.fast}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> End:
        return cls(Cause.from_dict(data["cause"]), at=data["at"], fast=data["fast"])


class State:
    """A new one is a service that was never started. Values are never changed in place, so a copy is cheap."""

    __slots__ = (
        "cause", "deaths", "emptied", "ending", "ending_text", "exited", "finished", "has_process", "job", "kills",
        "last_token", "outside", "phase", "ready", "reason", "restarts", "rung", "slowed", "started", "streak",
        "system_failures", "timer_at", "token", "waits_for", "want",
    )  # fmt: skip

    def __init__(self) -> None:
        self.phase = Phase.STOPPED
        self.want = Want.DOWN
        self.reason = "not started"  # why it is in this phase, for people
        # the budget
        self.streak = 0  # fast crashes in a row
        self.deaths: tuple[float, ...] = ()  # when it died, as far as the window reaches
        self.slowed = False  # the notice about too many deaths has been given
        self.system_failures = 0  # spawns in a row that the system refused
        self.restarts = 0  # since a person started it
        # before the process
        self.waits_for = ""  # what must come first, while it waits
        self.outside = 0  # pid of the same program, started by somebody else
        self.job = ""  # the command beside it that is waited for
        # the process
        self.started: float | None = None  # when it was spawned
        self.has_process = False  # its main process lives
        self.ready = False
        self.ending = Ending.NONE
        self.ending_text = ""  # ... in words, with numbers
        self.rung = 0  # how far the stop has come: index into the policy's ladder
        self.kills = 0  # SIGKILLs since the stop began
        self.exited: End | None = None  # its main process has ended, the rest of it (or of the stop) not yet
        self.emptied = False  # nothing of it is left, only the command that stops it still runs
        self.cause: Cause | None = None  # how it last ended
        self.finished = False  # it ended by itself and well, and has not been started since
        # the timer
        self.token = 0  # of the timer that is set, or 0
        self.last_token = 0
        self.timer_at: float | None = None

    @property
    def in_flight(self) -> bool:
        """Whether a spawn was asked for and not answered yet."""
        if self.phase not in (Phase.STARTING, Phase.STOPPING) or self.has_process or self.exited is not None:
            return False
        return self.job not in (BEFORE, AFTER_END)

    @property
    def retry_at(self) -> float | None:
        """When it will be started again, if it waits for that."""
        return self.timer_at if self.phase in (Phase.BACKOFF, Phase.FAILED) else None

    def copy(self) -> State:
        new = State.__new__(State)
        for name in self.__slots__:
            setattr(new, name, getattr(self, name))
        return new

    def as_dict(self) -> dict[str, Any]:
        data = {name: getattr(self, name) for name in self.__slots__}
        data["phase"] = self.phase.value
        data["want"] = self.want.value
        data["ending"] = self.ending.value
        data["deaths"] = list(self.deaths)
        data["exited"] = self.exited.as_dict() if self.exited else None
        data["cause"] = self.cause.as_dict() if self.cause else None
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        state = cls.__new__(cls)
        for name in cls.__slots__:
            setattr(state, name, data[name])
        state.phase = Phase(data["phase"])
        state.want = Want(data["want"])
        state.ending = Ending(data["ending"])
        state.deaths = tuple(data["deaths"])
        state.exited = End.from_dict(data["exited"]) if data["exited"] else None
        state.cause = Cause.from_dict(data["cause"]) if data["cause"] else None
        return state
