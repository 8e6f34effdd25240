"""What runs once a pause is over: of that of all and its own, which may overlap, the last to end lets it run."""

from __future__ import annotations

from supervisor.base.errors import Problem
from supervisor.model.wishes import Wishes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.runs.desk import Desk

    Owed = dict[str, list[float]]

NEXT, CATCH_UP = "next", "catch_up"
WHAT = "what is to be made up for once no pause holds a schedule"


def make_up(desk: Desk, how: str, names: Iterable[str], since: float, until: float) -> None:
    """After a pause of these from then to then. Where another one goes on it is owed, over restarts as well."""
    due: dict[str, Owed] = {}
    changed: dict[str, Owed] = {}
    for name in names:
        owed = before = desk.wishes.owed(name)
        if how != NEXT:
            first, last = before.get(how, (since, until))
            owed = {**before, how: [min(first, since), max(last, until)]}
        plan = desk.plans.get(name)
        if not owed or plan is None:
            continue
        later: Owed = {}
        if desk.is_enabled(plan) and desk.pauses.of(name) is not None:
            later = owed
        else:
            due[name] = owed
        if later != before:
            changed[name] = later
    if changed:
        _keep(desk, changed)
    for name, owed in due.items():
        for each, (first, last) in owed.items():
            desk.planner.make_up(desk.plans[name], first, last, all_of_them=each == CATCH_UP)


def _keep(desk: Desk, changed: dict[str, Owed]) -> None:
    """Before any of it runs, so that none is made up for twice."""

    def owe(wishes: Wishes) -> list[str]:
        return [name for name, owed in changed.items() if wishes.owe(name, owed)]

    try:
        desk.change_wishes(owe)
    except Problem as problem:  # it is known as long as this scheduler lives, then
        desk.telling.not_kept(problem.text(), WHAT)
        wishes = Wishes(desk.wishes.as_dict())
        owe(wishes)
        desk.wishes = wishes
