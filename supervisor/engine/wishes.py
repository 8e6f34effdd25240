"""What a person asks of several services at once, and who comes or goes along."""

from __future__ import annotations

from supervisor.core.order import pulled
from supervisor.engine import change
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.engine.engine import Engine
    from supervisor.engine.rolling import Rolling
    from supervisor.engine.service import Service


class Done:
    """What became of a wish: names of each kind."""

    __slots__ = ("accepted", "along", "already")

    def __init__(self) -> None:
        self.accepted: list[str] = []
        self.already: list[str] = []  # it was so before
        self.along: list[str] = []  # not named, and needed or needing

    def as_dict(self) -> dict[str, list[str]]:
        return {"accepted": self.accepted, "already": self.already, "with": self.along}


def start(engine: Engine, names: Iterable[str]) -> Done:
    """These, and first what they require."""
    done, names = Done(), list(names)
    for name in names:
        for other in needed(engine, name):
            if other not in names and other not in done.along and engine.start(other):
                done.along.append(other)
        (done.accepted if engine.start(name) else done.already).append(name)
    return done


def stop(engine: Engine, names: Iterable[str], *, now: bool = False) -> Done:
    """These, and before them those that require them."""
    done = Done()
    for name in names:
        state = engine.services[name].state
        is_down = state.phase is Phase.STOPPED and state.want is Want.DOWN
        (done.already if is_down else done.accepted).append(name)
    done.along = engine.stops.stop(done.accepted, now=now)
    return done


def restart(engine: Engine, names: Iterable[str], rolling: Rolling, *, one_by_one: bool | None = None) -> Done:
    """These, and those that asked to be restarted with them; what they require is started if it is down.

    `one_by_one`: all of them, none, or (None) only several instances of one plugin.
    """
    done = Done()
    done.accepted = list(names)
    for name in done.accepted:
        for other in needed(engine, name):
            if other not in done.accepted and engine.start(other):
                done.along.append(other)
    if one_by_one:
        rolling.restart(done.accepted)
    else:
        done.along += change.restart(engine, done.accepted, rolling if one_by_one is None else None)
    return done


def needed(engine: Engine, name: str) -> list[str]:
    """What it requires, directly or not, and nobody wants up now; what comes first first."""
    if not engine.services[name].spec.order.requires:
        return []
    orders = {other: service.spec.order for other, service in engine.services.items()}
    return [other for other in pulled(orders, name) if other in engine.services and _is_missing(engine.services[other])]


def _is_missing(service: Service) -> bool:
    state = service.state
    if state.finished:  # it has done its work
        return False
    return state.phase in (Phase.STOPPED, Phase.FAILED) or state.want is Want.DOWN or service.is_going_down
