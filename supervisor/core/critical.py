"""Of a service on which everything depends: has it ended for good, and which exit code does the whole take from it?"""

from __future__ import annotations

from supervisor.core.verdict import signal_number
from supervisor.model.cause import CauseKind
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.state import State
    from supervisor.model.cause import Cause

FAILED = 1  # where it has no exit code of its own that would say so
AS_A_SHELL = {CauseKind.NOT_EXECUTABLE: 126, CauseKind.NOT_FOUND: 127}
# We have ended it: the signal was ours, and says nothing of what was wrong.
ENDED_BY_US = (CauseKind.NOT_READY, CauseKind.UNHEALTHY, CauseKind.WATCHDOG, CauseKind.OVER_LIMIT)


def has_ended_for_good(state: State) -> bool:
    """Given up, finished, or down by its own wish. Not one that a person has stopped."""
    if state.phase is Phase.FAILED:
        return True
    asked_itself = state.cause is not None and state.cause.kind is CauseKind.STAY_DOWN
    return state.phase is Phase.STOPPED and (state.finished or asked_itself)


def exit_code(state: State) -> int:
    """Its own, as a shell tells it: 128 + the signal that killed it. Never 0 for one that has failed."""
    cause = state.cause
    code = FAILED if cause is None or cause.kind in ENDED_BY_US else _code_of(cause)
    return code or (FAILED if state.phase is Phase.FAILED else 0)


def _code_of(cause: Cause) -> int:
    if cause.signal is not None:
        return 128 + signal_number(cause.signal)
    if cause.code is not None:
        return cause.code
    return AS_A_SHELL.get(cause.kind, FAILED)


def how(state: State) -> str:
    """In words, after its name."""
    cause = state.cause.text if state.cause else ""
    if state.phase is Phase.FAILED:
        why = state.reason if state.reason.startswith(cause) else f"{state.reason}: {cause}"
        return f"has failed ({why})"
    return f"has ended for good ({cause or state.reason})"
