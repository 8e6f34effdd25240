"""What takes long for many schedules is done a bit at a time: no run is late because somebody looks."""

from __future__ import annotations

from supervisor.base.errors import FAILED, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from supervisor.control.connection import Reply
    from supervisor.runs.desk import Desk

    Item = TypeVar("Item")

SLICE_S = 0.01


def in_slices(
    desk: Desk, reply: Reply, items: Iterable[Item], each: Callable[[Item], None], done: Callable[[], None]
) -> None:
    """The first slice at once; `done` answers. Not for what changes something."""
    left = iter(items)

    def some() -> bool:
        until = desk.loop.clock.now() + SLICE_S
        for item in left:
            each(item)
            if desk.loop.clock.now() >= until:
                return True
        return False

    def go() -> None:
        if reply.done:
            return  # whoever asked has gone
        goes_on: list[bool] = []
        try:
            desk.pauses.look_once_for(lambda: goes_on.append(some()))
        except Problem as problem:
            reply.fail(problem)
        except Exception as error:
            reply.fail(Problem("this can't be told", why=f"{type(error).__name__}: {error}", code=FAILED))
            raise  # a defect: the loop reports it
        else:
            if goes_on[0]:
                desk.loop.soon(go)
            else:
                done()

    go()
