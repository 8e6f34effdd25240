"""Which plans other settings leave alone: nearly all of them, as a rule, and there may be a hundred thousand."""

from __future__ import annotations

from supervisor.model.schedule import Schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.schedule import Catalogue, Policy
    from supervisor.runs.plan import Plan

COMPARED = tuple(name for name in Schedule.__slots__ if name != "policy")


class Staying:
    """From one catalogue to another one. `anew`: nobody stays."""

    def __init__(self, old: Catalogue, new: Catalogue, *, anew: bool = False) -> None:
        self.is_possible = not anew and old.zone == new.zone and old.calendars == new.calendars
        self._seen: dict[tuple[int, int], bool] = {}  # pairs of policies, each of which many share

    def stays(self, plan: Plan | None, schedule: Schedule, anchor: int) -> bool:
        """It would be made of the same. Commands, groups and checks are looked up when they are needed."""
        if plan is None or not self.is_possible or plan.anchor != anchor:
            return False
        its = plan.schedule
        if its is schedule:
            return True
        return all(getattr(its, name) == getattr(schedule, name) for name in COMPARED) and self._is_policy(
            its.policy, schedule.policy
        )

    def _is_policy(self, old: Policy, new: Policy) -> bool:
        key = id(old), id(new)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = old is new or old.as_dict() == new.as_dict()
        return found
