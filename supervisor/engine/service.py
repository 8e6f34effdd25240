"""What an engine holds about one service while it runs; and the note from which a successor goes on."""

from __future__ import annotations

from supervisor.core.machine import State
from supervisor.engine.outlet import Pumps
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.base.loop import Timer
    from supervisor.model.service import Spec

KEPT_EVENTS = 10
NOTED_DEATHS = 1000  # a window with a higher limit begins smaller after a hand-over


class Service:
    """Spec and state, and the handles of what belongs to them."""

    __slots__ = (
        "asked_at", "degraded", "detail", "events", "exit", "found", "generation", "intent", "key", "lacks",
        "leaving", "log_from", "log_inode", "pid", "pumps", "removed", "since", "spec", "state", "timer",
        "told_before", "told_exit",
    )  # fmt: skip

    def __init__(self, spec: Spec, state: State) -> None:
        self.spec = spec
        self.state = state
        self.generation = 0
        self.key = ""  # of the newest process: name.generation
        self.pid = 0
        self.asked_at = 0.0  # wall time at which its start was decided; 0: by a predecessor
        self.since = 0.0  # wall time of the last change of phase
        self.timer: Timer | None = None
        self.pumps = Pumps()
        self.log_from = 0  # size of the raw file when it was started
        self.log_inode = 0  # and which file that was
        self.exit: dict[str, Any] | None = None  # the last one: code, signal, at
        self.told_exit = ""  # key whose end has been judged
        self.told_before = False  # a predecessor wrote the event of this end and was killed before it went on
        self.detail = ""  # what it says of itself
        self.lacks = ""  # why it is not ready yet: its check and what that has found last
        self.degraded = False  # it runs and can't do its work: it says so itself, or its alive check does
        self.found = ""  # what that check has found wrong, as long as it is degraded for that
        self.intent: bool | None = None  # enabled or disabled by a person, whatever the settings say
        self.leaving = ""  # how it will be ended once those that need it have gone; see `stopping`
        self.removed = False  # to be forgotten once it has stopped
        self.events: list[dict[str, Any]] = []  # its last ones, as the journal has them

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def standing(self) -> tuple[object, ...]:
        """What others may have an interest in."""
        state = self.state
        return state.phase, self.key, state.has_process, state.ready

    @property
    def enabled(self) -> bool:
        """Whether it is started by itself: by the word of a person, else by the settings."""
        return self.spec.auto_start if self.intent is None else self.intent

    @property
    def disabled(self) -> bool:
        return self.intent is False

    @property
    def is_going_down(self) -> bool:
        """Whether it will be stopped, and stay so, once those that need it have gone."""
        return self.leaving in ("stop", "remove")

    @property
    def is_removed(self) -> bool:
        """Whether the settings no longer know it: it is on its way out."""
        return self.removed or self.leaving == "remove"

    @property
    def is_missing(self) -> bool:
        """Whether somebody has to start it before who requires it can come; not if it has done its work."""
        state = self.state
        if state.finished or self.is_removed:
            return False
        return state.phase in (Phase.STOPPED, Phase.FAILED) or state.want is Want.DOWN or self.is_going_down

    @property
    def readiness(self) -> bool | None:
        """As its row has it; None: nobody asks."""
        if self.degraded:
            return False
        return self.state.ready if self.spec.policy.wait_ready else None

    def remember(self, record: dict[str, Any]) -> None:
        self.events.append(record)
        del self.events[:-KEPT_EVENTS]

    def recall(self, records: list[dict[str, Any]]) -> None:
        """What a predecessor has seen of it comes before what we have."""
        self.events = (records + self.events)[-KEPT_EVENTS:]

    def note(self) -> dict[str, Any]:
        """Everything a successor can't find out by itself, in a size that one message holds."""
        state = self.state.as_dict()
        del state["deaths"][:-NOTED_DEATHS]
        return {
            "state": state,
            "key": self.key,
            "generation": self.generation,
            "exit": self.exit,
            "told_exit": self.told_exit,
            "since": self.since,
            "intent": self.intent,
            "degraded": self.degraded,
            "detail": self.detail,
            "found": self.found,
            "ready": self.readiness,  # for `start`, to show it while we are away
            "behind": self.spec.order.neighbours,  # for `start`, should it have to end them without us
            "log_from": self.log_from,
            "log_inode": self.log_inode,
        }

    def restore(self, note: dict[str, Any]) -> None:
        self.state = State.from_dict(note["state"])
        self.key = note["key"]
        self.generation = note["generation"]
        self.exit = note["exit"]
        self.told_exit = note["told_exit"]
        self.since = note["since"]
        self.degraded = note.get("degraded", False)
        self.detail = note.get("detail", "")
        self.found = note.get("found", self.detail if self.degraded else "")  # an older version has one for both
        self.log_from = note["log_from"]
        self.log_inode = note["log_inode"]
