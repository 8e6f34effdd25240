"""What runs once a pause is over: of that of all and its own, which may overlap, the last to end lets it run.

Of many in one go: what is kept is written once for all of them. A pattern means thousands, and pauses that were asked
for together end together; each alone would copy, write and look through all of them.
"""

from __future__ import annotations

from supervisor.base.errors import Problem
from supervisor.model.wishes import Wishes
from supervisor.runs.made_up import BEFORE_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from supervisor.runs.desk import Desk

    Owed = dict[str, list[float]]
    Held = tuple[str, float, float | None]  # what is to run, from when; where it was to end by itself

NEXT, CATCH_UP = "next", "catch_up"
WHAT = "what is to be made up for once no pause holds a schedule"


def resume(desk: Desk, names: Iterable[str], by: str) -> None:
    """The pauses of their own are over; a Problem where that can't be kept, and then nothing has been done."""
    go_on(desk, end_own(desk, names), by)


def end_own(desk: Desk, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """All or nothing. Returns the pauses of those that had one."""
    ended = {name: pause for name in names if (pause := desk.wishes.paused(name)) is not None}
    if ended:
        desk.change_wishes(lambda wishes: [name for name in ended if wishes.pause(name, None)])
    return ended


def go_on(desk: Desk, ended: dict[str, dict[str, Any]], by: str, what: str = "") -> None:
    """`what` is to run of what was held; "": as each pause had it."""
    for name in ended:
        desk.telling.resumed(by, name)
    held = {name: (what or pause["on_resume"], pause["at"], pause["until"]) for name, pause in ended.items()}
    make_up(desk, held)


def make_up(desk: Desk, held: dict[str, Held]) -> None:
    """After these pauses, by schedule. Where another one goes on it is owed, over restarts as well.

    Where one was to end by itself, perhaps nobody took notice for long: it has held nothing since.
    """
    now = desk.loop.clock.wall()
    due: dict[str, Owed] = {}
    changed: dict[str, Owed] = {}
    for name, (how, since, until) in held.items():
        ended = until - BEFORE_S if until and until <= now else now
        before = desk.wishes.owed(name)
        owed = _with(before, how, since, ended)
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
        desk.loop.guard(_run, desk, name, owed)
    desk.turns.of_all()


def _with(before: Owed, how: str, since: float, until: float) -> Owed:
    if how == NEXT:
        return before
    first, last = before.get(how, (since, until))
    return {**before, how: [min(first, since), max(last, until)]}


def _run(desk: Desk, name: str, owed: Owed) -> None:
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
