"""What runs once a pause is over: of that of all and its own, which may overlap, the last to end lets it run.

Of many in one go: what is kept is written once for all of them. A pattern means thousands, and pauses that were asked
for together end together; each alone would copy, write and look through all of them.

What is owed is kept with the end of the pause, before anybody is told of that; runs/promises.py goes on from there.
"""

from __future__ import annotations

from supervisor.runs.made_up import BEFORE_S
from supervisor.runs.promises import keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from supervisor.model.wishes import Wishes
    from supervisor.runs.desk import Desk
    from supervisor.runs.promises import Owed

    Held = tuple[str, float, float | None]  # what is to run, from when; where it was to end by itself

NEXT = "next"


def resume(desk: Desk, names: Iterable[str], by: str) -> None:
    """The pauses of their own are over; a Problem where that can't be kept, and then nothing has been done."""
    go_on(desk, end_own(desk, names), by)


def end_own(desk: Desk, names: Iterable[str], what: str = "") -> dict[str, dict[str, Any]]:
    """All or nothing. Returns the pauses of those that had one. `what` is to run of what was held; "": as it had it."""
    paused = {name: pause for name in names if (pause := desk.wishes.paused(name)) is not None}
    ended = {name: {**pause, "on_resume": what or pause["on_resume"]} for name, pause in paused.items()}
    if ended:
        owing = _owing(desk, {name: _held(pause) for name, pause in ended.items()})

        def end(wishes: Wishes) -> list[str]:
            _owe(wishes, owing)
            return [name for name in ended if wishes.pause(name, None)]

        desk.change_wishes(end)
    return ended


def go_on(desk: Desk, ended: dict[str, dict[str, Any]], by: str) -> None:
    for name in ended:
        desk.telling.resumed(by, name)
    make_up(desk, {name: _held(pause) for name, pause in ended.items()})


def end_of_all(desk: Desk, held: Held, remove: Callable[[], None]) -> None:
    """What is owed is kept before its file goes; an OSError where that can't be removed, and then nothing is owed."""
    owing = _owing(desk, dict.fromkeys(desk.plans, held))
    before = {name: was for name, owed in owing.items() if (was := desk.wishes.owed(name)) != owed}
    if before:
        keep(desk, lambda wishes: _owe(wishes, {name: owing[name] for name in before}))
    try:
        remove()
    except OSError:
        if before:
            keep(desk, lambda wishes: _owe(wishes, before))
        raise


def make_up(desk: Desk, held: dict[str, Held]) -> None:
    """After these pauses, by schedule. Where another one goes on it is owed, over restarts as well."""
    desk.promises.settle(_owing(desk, held))


def _held(pause: dict[str, Any]) -> Held:
    return pause["on_resume"], pause["at"], pause["until"]


def _owing(desk: Desk, held: dict[str, Held]) -> dict[str, Owed]:
    """With what was owed before. A pause that was to end by itself perhaps nobody took notice of for long: it has held
    nothing since.
    """
    now = desk.loop.clock.wall()
    found: dict[str, Owed] = {}
    for name, (how, since, until) in held.items():
        ended = until - BEFORE_S if until and until <= now else now
        owed = _with(desk.wishes.owed(name), how, since, ended)
        if name in desk.plans and (owed or desk.wishes.promised(name)):
            found[name] = owed
    return found


def _with(before: Owed, how: str, since: float, until: float) -> Owed:
    if how == NEXT:
        return before
    first, last = before.get(how, (since, until))
    return {**before, how: [min(first, since), max(last, until)]}


def _owe(wishes: Wishes, owing: dict[str, Owed]) -> list[str]:
    return [name for name, owed in owing.items() if wishes.owe(name, owed)]
