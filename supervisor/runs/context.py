"""What a run goes by."""

from __future__ import annotations

from supervisor.core.pipeline import Rules
from supervisor.model.schedule import ROLLBACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.launch import Launch
    from supervisor.model.schedule import Policy


class Context:
    """It stays the same for its whole life, whatever a reload brings."""

    __slots__ = ("commands", "policy")

    def __init__(self, policy: Policy, commands: dict[str, Launch]) -> None:
        self.policy = policy
        self.commands = commands

    @property
    def rules(self) -> Rules:
        return Rules(self.policy, can_roll_back=ROLLBACK in self.commands)
