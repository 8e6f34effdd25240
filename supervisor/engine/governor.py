"""Watches what the settings limit and the kernel does not: memory and processor of a whole tree, and its age.

One timer for all looks, and none while no running service has such a limit. What is found is said (`warn`), or is a
reason for the machine to end the process, which then starts it again by its rules.
"""

from __future__ import annotations

import os

from supervisor.core.state import Ending
from supervisor.core.sustained import Sustained, end_of_age, time_between_looks
from supervisor.engine.texts import duration
from supervisor.engine.usage import Meter
from supervisor.model.event import WARNING
from supervisor.model.limits import WARN
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.loop import Timer
    from supervisor.engine.engine import Engine
    from supervisor.engine.service import Service
    from supervisor.engine.usage import Tree, Usage
    from supervisor.model.limits import WatchedLimits

MEMORY, CPU = "memory", "cpu"
ACTIVE = (Phase.STARTING, Phase.RUNNING)
ITS_TURN_S = 5.0  # an old one looks again so often whether it may go


class Watched:
    """One process with limits: how long it has been above each, and when it will be too old."""

    __slots__ = ("above", "age", "key", "limits", "told")

    def __init__(self, key: str, limits: WatchedLimits) -> None:
        self.key = key
        self.limits = limits
        self.above = {MEMORY: Sustained(), CPU: Sustained()}
        self.told: set[str] = set()  # what has been warned of, and not gone below again
        self.age: Timer | None = None

    def spans(self) -> list[float]:
        limits = self.limits
        return [limits.memory_for] * bool(limits.memory) + [limits.cpu_for] * bool(limits.cpu)


class Governor:
    """Of one engine. `draw` gives a number from 0 to 1 and is asked once a process."""

    def __init__(self, engine: Engine, usage: Usage, draw: Callable[[], float]) -> None:
        self._engine = engine
        self._usage = usage
        self._draw = draw
        self._meter = Meter()
        self._watched: dict[str, Watched] = {}
        self._timer: Timer | None = None
        self._next = 0.0
        engine.watch_service(lambda service, _before: self._changed(service))

    def review(self) -> None:
        """All of them: after other settings, or after taking over what runs already."""
        for service in list(self._engine.services.values()):
            self._changed(service)

    def _changed(self, service: Service) -> None:
        name, limits = service.name, service.spec.limits
        known = self._watched.get(name)
        is_ours = self._engine.services.get(name) is service
        if is_ours and limits and service.state.has_process and service.state.phase in ACTIVE:
            if known is None or known.key != service.key or known.limits.as_dict() != limits.as_dict():
                self._forget(name)
                self._begin(service)
        elif known is not None and (is_ours or name not in self._engine.services):
            self._forget(name)

    def _begin(self, service: Service) -> None:
        watched = Watched(service.key, service.spec.limits)
        self._watched[service.name] = watched
        if watched.limits.max_age and service.state.started is not None:
            limits = watched.limits
            due = end_of_age(service.state.started, limits.max_age, limits.max_age_spread, self._draw())
            watched.age = self._engine.loop.at(due, lambda: self._aged(service.name, watched))
        self._keep_looking(watched.spans())  # for those before it there is a look to come

    def _forget(self, name: str) -> None:
        watched = self._watched.pop(name, None)
        if watched is not None and watched.age is not None:
            watched.age.cancel()

    # what it takes

    def _keep_looking(self, spans: list[float]) -> None:
        if not spans:
            return  # a look that is under way finds nothing and is the last
        due = self._engine.loop.clock.now() + time_between_looks(spans)
        if self._timer is None or due < self._next:
            if self._timer is not None:
                self._timer.cancel()
            self._next = due
            self._timer = self._engine.loop.at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        named = [self._engine.services.get(name) for name, watched in self._watched.items() if watched.spans()]
        # Those that are about to be stopped are ended anyway, in their order.
        chosen = [service for service in named if service is not None and not service.leaving]
        trees = self._usage.trees(chosen)
        now = self._engine.loop.clock.now()
        for service in chosen:
            watched, tree = self._watched.get(service.name), trees.get(service.name)
            if watched is not None and tree is not None and not self._is_above_memory(service, watched, tree, now):
                self._look_at_cpu(service, watched, tree, now)
        self._meter.keep_only([watched.key for watched in self._watched.values()])
        self._keep_looking([span for watched in self._watched.values() for span in watched.spans()])

    def _is_above_memory(self, service: Service, watched: Watched, tree: Tree, now: float) -> bool:
        """Whether it is being ended for that."""
        limit = watched.limits.memory
        memory = tree.memory_over(limit) if limit else 0
        span = watched.above[MEMORY].look(above=bool(memory), now=now)
        if span is None:
            self._is_below(service, watched, MEMORY)
        elif span >= watched.limits.memory_for:
            text = f"{amount(memory)} of memory for {duration(span)}, its limit is {amount(limit)}"
            data = {"what": MEMORY, "memory_bytes": memory, "limit_bytes": limit, "seconds": round(span, 1)}
            return self._is_over(service, watched, MEMORY, text, {**data, "processes": len(tree.pids)})
        return False

    def _look_at_cpu(self, service: Service, watched: Watched, tree: Tree, now: float) -> None:
        limit = watched.limits.cpu
        if not limit:
            return
        started = now if service.state.started is None else service.state.started
        percent = self._meter.percent(watched.key, tree.ticks, now, started)
        span = watched.above[CPU].look(above=percent > limit, now=now)
        if span is None:
            self._is_below(service, watched, CPU)
        elif span >= watched.limits.cpu_for:
            text = f"{percent:.0f}% of a processor for {duration(span)}, its limit is {limit:g}%"
            data = {"what": CPU, "cpu_percent": round(percent, 1), "limit_percent": limit, "seconds": round(span, 1)}
            self._is_over(service, watched, CPU, text, data)

    def _is_over(self, service: Service, watched: Watched, what: str, text: str, data: dict[str, Any]) -> bool:
        if watched.limits.action != WARN:
            self._engine.must_end(service.name, Ending.OVER_LIMIT, text, data)
            return True
        if what not in watched.told:
            watched.told.add(what)
            self._engine.tell("service.over_limit", service.name, text, WARNING, data)
        return False

    def _is_below(self, service: Service, watched: Watched, what: str) -> None:
        if what in watched.told:
            watched.told.discard(what)
            words = "memory" if what == MEMORY else "processor time"
            self._engine.tell(
                "service.within_limit", service.name, f"within its limit of {words} again", data={"what": what}
            )

    # how old it is

    def _aged(self, name: str, watched: Watched) -> None:
        watched.age = None
        service = self._engine.services.get(name)
        if service is None or self._watched.get(name) is not watched or service.state.started is None:
            return
        if service.state.phase is not Phase.RUNNING or service.leaving or not self._may_go(service):
            watched.age = self._engine.loop.after(ITS_TURN_S, lambda: self._aged(name, watched))
            return
        age, limit = self._engine.loop.clock.now() - service.state.started, watched.limits.max_age
        text = f"{duration(age)} old, its limit is {duration(limit)}"
        self._engine.must_end(name, Ending.AGED, text, {"age": round(age, 1), "limit": limit})

    def _may_go(self, service: Service) -> bool:
        """Only while each other instance of its plugin that is to be up is up."""
        return all(
            other.state.phase is Phase.RUNNING
            for other in self._engine.services.values()
            if other is not service and other.spec.plugin == service.spec.plugin and other.state.want is Want.UP
        )


def draw() -> float:
    """Chance from the kernel: the module `random` costs more to load than everything here."""
    return int.from_bytes(os.urandom(4), "little") / (1 << 32)


def amount(count: float) -> str:
    """`840 KiB`, `612 MiB`, `1.5 GiB`."""
    count /= 1024
    for unit in ("KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
