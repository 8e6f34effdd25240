"""What is handed to the writer, and how any value becomes one that the tables take."""

from __future__ import annotations

from supervisor.base import jsons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Value = int | str | None
    Values = dict[str, Value]

SCHEDULE_NUMBERS = frozenset(
    ("cursor", "cycle", "total", "succeeded", "failed", "streak", "last_at", "last_ms", "breaker_until",
     "breaker_opens")
)  # fmt: skip
SCHEDULE_TEXTS = frozenset(("revision", "last_run", "last_result", "breaker", "accepted", "recent"))
SLOT_NUMBERS = frozenset(("nominal", "due", "until", "decided", "nominal_to", "count"))
SLOT_TEXTS = frozenset(("schedule", "revision", "outcome", "reason", "run", "note"))
RUN_NUMBERS = frozenset(
    ("nominal", "due", "claimed", "started", "ended", "exit_code", "late_ms", "attempt", "cpu_ms", "memory",
     "unledgered")
)  # fmt: skip
RUN_TEXTS = frozenset(
    ("schedule", "plugin", "trigger", "state", "cause", "signal", "retry_of", "forced", "by", "tenant", "steps", "args",
     "correlation", "log", "metrics", "words", "boot")
)  # fmt: skip
STEP_NUMBERS = frozenset(("number", "attempt", "started", "ended", "exit_code", "cpu_ms", "memory"))
STEP_TEXTS = frozenset(("run", "name", "state", "signal", "cause", "words"))

JSON_COLUMNS = frozenset(("steps", "args", "metrics", "words", "accepted", "recent"))
AFTER = "after run "  # begins the note of a slot that is the end of a run of another schedule
HELD_ENDS = 100  # are known of a schedule, so that they can be made up for after a pause
MAX_NUMBER = (1 << 63) - 1
MAX_TEXT = 1 << 20

_encode = jsons.encoder(default=repr)  # plain ASCII, so any string can be stored


class UnknownColumn(Exception):
    """A defect of ours: the caller named a column that there is not."""


def clean(given: dict[str, Any], numbers: frozenset[str], texts: frozenset[str]) -> Values:
    """The same fields with values that SQLite takes as they are. Raises UnknownColumn, nothing else."""
    values: Values = {}
    for name, value in given.items():
        kind = type(value)
        if value is None or (kind is int and name in numbers and -MAX_NUMBER <= value <= MAX_NUMBER):
            values[name] = value
        elif kind is str and name in texts and value.isascii() and len(value) <= MAX_TEXT:
            values[name] = value  # nearly all are one of these
        elif name in numbers:
            values[name] = _number(value)
        elif name in texts:
            values[name] = _text(name, value)
        else:
            raise UnknownColumn(name)
    return values


def _number(value: Any) -> int | None:
    try:
        number = int(value)  # int(2.9) is 2: a time that has begun
    except (TypeError, ValueError, OverflowError):
        return None
    return max(-MAX_NUMBER, min(MAX_NUMBER, number))


def _text(name: str, value: Any) -> str:
    if name in JSON_COLUMNS and not isinstance(value, str):
        text = _json(value)
        return text if len(text) <= MAX_TEXT else _encode({"too_long": len(text)})
    text = str(value)  # of a StrEnum its value, as a plain string
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT]
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of an output that were no text
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def _json(value: Any) -> str:
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError):
        return _encode({"unreadable": repr(type(value))})


class SlotRow:
    """One slot, or a stretch of skipped ones, and what became of it."""

    __slots__ = ("values",)

    def __init__(
        self,
        schedule: str,
        nominal: int,
        *,
        nominal_to: int | None = None,
        outcome: str = "claimed",
        run: str | None = None,
        reason: str | None = None,
        due: int | None = None,
        until: int | None = None,
        revision: str | None = None,
        decided: int | None = None,  # None: now
        count: int | None = 1,  # slots in a range; None: nobody has counted them
        note: str | None = None,
    ) -> None:
        self.values: dict[str, Any] = {
            "schedule": schedule, "nominal": nominal, "nominal_to": nominal if nominal_to is None else nominal_to,
            "outcome": outcome, "run": run, "reason": reason, "due": due, "until": until, "revision": revision,
            "decided": decided, "count": count, "note": note,
        }  # fmt: skip


class RunRow:
    """A run, with the columns of `runs` that are known of it."""

    __slots__ = ("values",)

    def __init__(self, id: str, schedule: str | None, **fields: Any) -> None:
        self.values: dict[str, Any] = {"id": id, "schedule": schedule, **fields}

    @property
    def id(self) -> str:
        return str(self.values["id"])


class StepRow:
    """A step of a run: its number from 0, which attempt of it, and the columns of `steps` that are known."""

    __slots__ = ("values",)

    def __init__(self, run: str, number: int, attempt: int = 1, **fields: Any) -> None:
        self.values: dict[str, Any] = {"run": run, "number": number, "attempt": attempt, **fields}


class Loaded:
    """What a scheduler needs that starts. Rows as they are in the tables: times in ms, JSON as text."""

    __slots__ = (
        "comes_later", "cursors", "decided", "ended", "ends", "gaps", "held_ends", "live", "newest", "runs",
        "schedules", "trouble",
    )  # fmt: skip

    def __init__(
        self,
        schedules: dict[str, dict[str, Any]],
        cursors: dict[str, int],
        runs: list[dict[str, Any]],
        trouble: str = "",
        newest: dict[str, int] | None = None,
        decided: dict[str, int] | None = None,
        ends: dict[str, dict[int, str]] | None = None,
        held_ends: dict[str, tuple[int, ...]] | None = None,
        ended: frozenset[str] = frozenset(),
    ) -> None:
        self.schedules = schedules  # by id
        self.cursors = cursors  # by schedule: nominal seconds up to which all slots of a time were considered
        self.newest = newest or {}  # by schedule: nominal seconds of the last slot that was decided
        self.decided = decided or {}  # by schedule: when that was, and not before it was due
        self.ends = ends or {}  # by schedule: slots behind its cursor, which are ends of these runs of others
        self.runs = runs  # those that are live, oldest first; `slots` of each is a list of rows
        self.live = frozenset(run["id"] for run in runs)
        self.held_ends = held_ends or {}  # by schedule: the newest slots of ends that a pause has held, in order
        self.gaps: list[tuple[Loaded, int]] = []  # what was when a scheduler began without it, and when that was (s)
        self.comes_later = False  # it is empty, as it can't be read now
        self.ended = ended  # of the runs that were asked about, those whose end is known
        self.trouble = trouble  # why it is empty, or may lack what happened last; "" when all is well

    @classmethod
    def empty(cls, trouble: str = "") -> Loaded:
        return cls({}, {}, [], trouble)
