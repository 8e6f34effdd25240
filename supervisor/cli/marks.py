"""The sign, the colour and the words for the state of a run, wherever one is shown. Pure."""

from __future__ import annotations

from supervisor.cli.table import duration
from supervisor.model.run import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.cli.columns import Cell
    from supervisor.cli.table import Style

GOOD = ("✔", "ok", "32")
BAD = ("✖", "XX", "31")
ODD = ("▲", "!!", "33")
MARKS = {
    RunState.SUCCEEDED: GOOD,
    RunState.FAILED: BAD,
    RunState.REJECTED: BAD,
    RunState.TIMED_OUT: BAD,
    RunState.CANCELLED: ("■", "--", "2"),
    RunState.INTERRUPTED: ODD,
    RunState.LOST: ODD,
    RunState.QUEUED: ("○", "~~", "34"),
    RunState.CLAIMED: ("◐", "..", "34"),
    RunState.RUNNING: ("◐", "..", "34"),
}
UNKNOWN = ("?", "??", "0")


def sign(state: str, style: Style) -> str:
    mark = MARKS.get(state, UNKNOWN)  # type: ignore[call-overload]
    return str(mark[0] if style.utf8 else mark[1])


def colour(state: str) -> str:
    return str(MARKS.get(state, UNKNOWN)[2])  # type: ignore[call-overload]


def words(state: str) -> str:
    return state.replace("_", " ")


def short(took: float) -> str:
    """How long a run took: to the tenth where it was quick."""
    return f"{took:.1f}s" if took < 10 else duration(took)


def last_run(state: str | None, took: float | None, style: Style) -> Cell:
    """`✔ 41s`, `✖ failed`; "" when it has never run."""
    if not state:
        return ""
    rest = short(took) if state == RunState.SUCCEEDED and took is not None else ""
    if state != RunState.SUCCEEDED:
        rest = words(state)
    return f"{sign(state, style)} {rest}".rstrip(), colour(state)
