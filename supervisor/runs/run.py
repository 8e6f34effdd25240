"""One run as the scheduler has it while it lasts, and the note from which a successor goes on with it."""

from __future__ import annotations

from supervisor.core.pipeline import ENDED, Progress
from supervisor.engine.entries import STEP
from supervisor.engine.outlet import Pumps
from supervisor.model.run import Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.base.loop import Timer

NOTE = STEP  # begins the name of the note
_NOTED = (
    "after", "args", "begun", "by", "claimed", "correlation", "cpu_ms", "cycle", "done", "due", "ended", "env",
    "forced", "id", "key", "last", "late", "log", "made_up", "memory", "nominal", "plugin", "retry_of", "schedule",
    "started", "tenant", "trigger", "unledgered", "words",
)  # fmt: skip
_NEVER_LEFT_OUT = ("due", "id", "nominal", "plugin", "schedule", "trigger")
_ALPHABET = "0123456789abcdefghijkmnpqrstuvwxyz"  # no l and o: they are read as digits
_BASE = len(_ALPHABET)
MARK_LETTERS = 3
_BEGINNING_MS = 1_735_689_600_000  # of 2025: ids stay short


class Run:
    """Times are wall clock in seconds; `key` is that of the step's process."""

    __slots__ = (
        *_NOTED,
        "deadline",
        "dropped",
        "has_come",
        "has_strays",
        "not_before",
        "pumps",
        "progress",
        "result",
        "results",
        "timer",
        "timer_due",
        "was_told_late",
        "work",
    )

    def __init__(self, id: str, schedule: str, plugin: str, steps: list[str], *, trigger: Trigger, due: float) -> None:
        self.id = id
        self.schedule = schedule  # "": a plugin by hand, without one
        self.plugin = plugin
        self.trigger = trigger.value
        self.due = due
        self.nominal: int | None = None
        self.claimed = 0.0
        self.started = 0.0
        self.ended = 0.0
        self.begun = 0.0  # its present step
        self.late = 0.0
        self.cycle = 0
        self.tenant = ""
        self.by = ""
        self.retry_of = ""
        self.made_up = False  # after a pause, in which the slot that it stands for has had its end
        self.after = ""  # the run of another schedule whose end it follows
        self.correlation = id
        self.args: list[str] = []
        self.env: dict[str, str] = {}
        self.forced: list[str] = []  # gates that were shut and passed by force
        self.unledgered = False  # it began before its claim was on the disk
        self.log = ""
        self.key = ""
        self.cpu_ms = 0
        self.memory = 0
        self.words: list[str] = []  # the last lines of the step that failed
        self.last: dict[str, Any] = {}  # how the last step ended: code, signal
        self.done: list[dict[str, Any]] = []  # the last rows of steps: perhaps not on the disk when a scheduler dies
        self.progress = Progress(steps)
        # of this process alone
        self.not_before = 0.0  # while it is queued
        self.deadline = 0.0  # until when it may be put off
        self.has_come = False  # in a queue: it waits for its turn; else for its time, or for what is asked before that
        self.was_told_late = False  # that it waits
        self.pumps = Pumps()
        self.timer: Timer | None = None
        self.timer_due = 0.0
        self.result = ""  # where the present step writes its figures
        self.results: list[str] = []  # those of the steps before, until it has ended
        self.work = ""
        self.dropped = False  # its step's entry
        self.has_strays = False  # perhaps: a step had ended, and some of its processes had not

    @property
    def takes_a_slot(self) -> bool:
        """Whether it began by the time of one; not by hand, again for one that was cut off, or for one of a pause."""
        return self.nominal is not None and self.trigger != Trigger.RERUN and not self.made_up

    @property
    def has_ended(self) -> bool:
        return self.progress.phase == ENDED

    @property
    def name(self) -> str:
        """What people call it by."""
        return self.schedule or self.plugin

    @property
    def took(self) -> float:
        return max(self.ended - (self.started or self.ended), 0.0)

    def note(self) -> dict[str, Any]:
        """Without what is nothing: most of it is, and it is written and read with each step."""
        note = {name: value for name in _NOTED if (value := getattr(self, name))}
        note.update({name: getattr(self, name) for name in _NEVER_LEFT_OUT}, progress=self.progress.as_note())
        return note

    @classmethod
    def from_note(cls, note: dict[str, Any]) -> Run:
        run = cls(note["id"], note["schedule"], note["plugin"], [], trigger=Trigger(note["trigger"]), due=note["due"])
        for name in _NOTED:
            if name in note:
                setattr(run, name, note[name])
        run.progress = Progress.from_dict(note["progress"])
        run.has_strays = True  # nobody knows what became of the steps before
        return run


def key_of(run: Run) -> str:
    """Of the process of its present step and try."""
    progress = run.progress
    return f"{NOTE}{run.id}/{progress.number}-{progress.step}.{progress.attempt}"


def run_of(key: str) -> str:
    """The id in the key of a step."""
    return key.split("/", 2)[1]


class Ids:
    """Short names that sort by time, and that no other scheduler gives: each has a `mark` of its own at their end.

    By the time alone one that begins after the clock was set back would give them again, and a claim under the name of
    a run that has been is taken for that very claim, tried twice.
    """

    def __init__(self, mark: str) -> None:
        self._last = 0
        self._mark = mark

    def draw(self, wall: float) -> str:
        # 16 a millisecond: a burst of claims takes names from the next milliseconds.
        self._last = max(self._last + 1, (int(wall * 1000) - _BEGINNING_MS) * 16)
        return f"r{_in_letters(self._last)}{self._mark}"


def mark_of(noise: bytes) -> str:
    """One of some 39,000, from four random bytes."""
    return _in_letters(_BASE**MARK_LETTERS + int.from_bytes(noise, "big") % _BASE**MARK_LETTERS)[1:]


def _in_letters(number: int) -> str:
    digits = ""
    while number > 0:
        number, rest = divmod(number, _BASE)
        digits = _ALPHABET[rest] + digits
    return digits or "0"
