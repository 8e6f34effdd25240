"""A slot on its way through the gates, by time or by hand, until it is claimed or skipped."""

from __future__ import annotations

from supervisor.model.run import Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.runs.plan import Plan
    from supervisor.runs.run import Run
    from supervisor.store.writes import Write


class Slot:
    """`nominal` None: by hand, so nothing is unique about it and no row is written when it is held."""

    __slots__ = (
        "after",
        "changes",
        "deadline",
        "due",
        "nominal",
        "not_before",
        "note",
        "plan",
        "promised",
        "queue",
        "run",
        "since",
        "stands_for",
        "trigger",
        "write",
    )

    def __init__(self, plan: Plan, nominal: int | None, due: float, trigger: Trigger, *, note: str = "") -> None:
        self.plan = plan
        self.nominal = nominal
        self.due = due
        self.trigger = trigger
        self.stands_for: int | None = None  # the slot that had its end, and is made up for
        self.promised = ""  # the run that was promised for it
        self.after = ""  # the run of another schedule whose end it is
        self.note = note  # what is special about it: moved by the change to summer time, ...
        self.deadline = 0.0  # until when it may be put off
        self.not_before = 0.0  # its place among those that came at once
        self.queue = False  # it does not begin with its claim
        self.since = 0.0  # monotonic: when its claim was handed over
        self.changes = 0  # of what people want, as it was then
        self.run: Run | None = None
        self.write: Write | None = None  # its claim, as it waits to be handed over
