"""What the journal says of runs that have no note any more: `start` died too, and with it all that it was told.

The history is behind by a moment, the journal is not: a run that is claimed there may have begun, and one that is
running may have ended. What began is not begun again, and what has ended keeps its end. (While `start` lives its notes
are the truth: a beginning that was told and not noted was none.)
"""

from __future__ import annotations

from supervisor.model.run import LIVE, RunState
from supervisor.runs.moments import from_iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

START_BEGAN = "start.began"
_LIVE = frozenset(state.value for state in LIVE)
_ROW = ("number", "attempt", "state", "started", "ended", "exit_code", "cause", "cpu_ms", "memory")
_ENDS = {f"run.{state.value}": state for state in RunState if state.value not in _LIVE}


class Story:
    """Of one run."""

    __slots__ = ("at", "began", "cause", "code", "signal", "state", "steps", "was_told")

    def __init__(self) -> None:
        self.began = False  # under a `start` that is no more
        self.was_told = False  # its beginning
        self.state: RunState | None = None  # None: its end is not told
        self.cause = ""
        self.at = 0.0  # of its end
        self.code: int | None = None  # of its last step
        self.signal = ""
        self.steps: list[dict[str, Any]] = []  # rows of those that have ended


def stories_of(past: Iterable[dict[str, Any]]) -> dict[str, Story]:
    """By run."""
    found: dict[str, Story] = {}
    for event in past:
        kind, data = event.get("kind"), event.get("data")
        if kind == START_BEGAN:
            for story in found.values():
                story.began = story.was_told
        if not isinstance(kind, str) or not isinstance(data, dict) or not isinstance(data.get("run"), str):
            continue
        story = found.setdefault(data["run"], Story())
        if kind == "run.started":
            story.was_told = True
        elif kind == "step.ended":
            story.code, story.signal = data.get("exit_code"), data.get("signal") or ""
            if "number" in data:  # told by a version that tells all of it
                story.steps.append(_row(data))
        elif kind in _ENDS:
            story.state, story.cause = _ENDS[kind], str(data.get("cause") or "")
            story.at = from_iso(str(event.get("at"))) or 0.0
    return found


def _row(data: dict[str, Any]) -> dict[str, Any]:
    row = {name: data.get(name) for name in _ROW}
    return {**row, "name": data.get("step"), "signal": data.get("signal") or None}
