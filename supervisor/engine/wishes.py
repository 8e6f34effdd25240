"""What a person asks of several services at once, and who comes or goes along."""

from __future__ import annotations

from supervisor.engine import change
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.engine.engine import Engine
    from supervisor.engine.rolling import Rolling


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
    done, names = Done(), list(dict.fromkeys(names))
    done.along = [name for name in _missing(engine, names) if engine.start(name)]
    for name in names:
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
    done.along = [name for name in _missing(engine, done.accepted) if engine.start(name)]
    if one_by_one:
        rolling.restart(done.accepted)
    else:
        done.along += change.restart(engine, done.accepted, rolling if one_by_one is None else None)
    return done


def _missing(engine: Engine, names: list[str]) -> list[str]:
    """What they require, directly or not, and nobody wants up now; what comes first first."""
    services, named = engine.services, set(names)
    required = [name for name in engine.ties.required_by(names) if name in services and name not in named]
    return [name for name in required if services[name].is_missing]
