"""What all cells of the machine's table have in common, and the two that do nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.core.record import Record
    from supervisor.core.turn import Turn
    from supervisor.model.service import Phase

    Handler = Callable[[Turn, Any], None]


class Refused(Exception):
    """This input can't come in this phase: the caller has lost count. The state stays as it was."""


# Where each handler can lead, beside staying; for the diagram, and proven by the random walk.
LEADS_TO: dict[Handler, tuple[Phase, ...]] = {}


def leads_to(*phases: Phase) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        LEADS_TO[handler] = phases
        return handler

    return register


def refuse(turn: Turn, inp: Record) -> None:
    """can't come: an error"""
    raise Refused(f"a service that is {turn.state.phase} can't take {inp!r}")


def ignore(_turn: Turn, _inp: Record) -> None:
    """nothing to do"""
