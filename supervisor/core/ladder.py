"""How a service is ended: a command, signals in turn, at last SIGKILL. Each rung has its time."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.service import Policy

COMMAND = 0  # in the place of a signal: the service's own command to stop it


def rungs(policy: Policy) -> list[tuple[int, float]]:
    """What is done, and how long it is given before the next."""
    ladder = [(COMMAND, policy.stop_command)] if policy.stop_command else []
    return [*ladder, *policy.stop_first, (policy.stop_signal, policy.grace)]


def rung_at(policy: Policy, index: int) -> tuple[int, float] | None:
    """None: only SIGKILL is left. The policy may have been changed in the middle of a stop."""
    ladder = rungs(policy)
    return ladder[index] if index < len(ladder) else None
