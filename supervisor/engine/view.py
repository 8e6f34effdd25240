"""What the engine shows: a row a service, the story behind one, and who waits until things have settled."""

from __future__ import annotations

from supervisor.base.clock import iso
from supervisor.base.rest import Rest
from supervisor.core.order import fulfils, hopeless
from supervisor.engine.readiness import waits
from supervisor.engine.stopping import HOLD, REMOVE, RESTART, STOP
from supervisor.engine.texts import duration
from supervisor.engine.usage import NOTHING
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.loop import Timer
    from supervisor.engine.engine import Engine
    from supervisor.engine.service import Service
    from supervisor.engine.usage import Figures

LEAVING = {STOP: "stops", REMOVE: "stops", RESTART: "restarts", HOLD: "stops"}
ACTIVE = (Phase.STARTING, Phase.RUNNING, Phase.STOPPING)


def row(service: Service, now: float, wall: float, used: Figures | None = None) -> dict[str, Any]:
    """One service as `status --json` has it; what it uses only where somebody has looked."""
    state, spec, exit_ = service.state, service.spec, service.exit
    retry_at = state.retry_at
    uptime = None if state.started is None or not state.has_process else round(now - state.started, 1)
    return {
        "name": spec.name,
        "kind": spec.kind,
        "state": str(state.phase),
        "desired": str(Want.DOWN if service.is_going_down else state.want),
        "pid": service.pid if state.has_process else state.outside or None,
        "uptime_s": uptime,
        "restarts": state.restarts,
        "exit": {**exit_, "at": iso(exit_["at"])} if exit_ else None,
        "cause": state.cause.text if state.cause else None,
        "next_retry_at": None if retry_at is None else iso(wall + retry_at - now),
        "ready": service.readiness,
        "detail": _detail(service, now, wall),
        **(used.as_dict if used and state.has_process else NOTHING),
        "enabled": service.enabled,
        "plugin": spec.plugin if spec.kind == "plugin" else None,
        "instance": spec.instance or None,
    }


def _detail(service: Service, now: float, wall: float) -> str:
    state = service.state
    if state.phase is Phase.RUNNING and not service.leaving:
        return service.found or service.detail
    if state.job and state.phase in (Phase.STARTING, Phase.STOPPING):
        so_long = f", for {duration(max(wall - service.since, 0.0))}" if service.since else ""
        return f"runs its command {state.job}{so_long}"
    cause = state.cause.text if state.cause else ""
    if state.phase is Phase.BACKOFF:
        left = duration(max((state.retry_at or now) - now, 0.0))
        crash = f"; crash {state.streak} of {service.spec.policy.give_up}" if state.streak else ""
        return f"{cause}{crash}; next try in {left}"
    if state.phase is Phase.FAILED:
        why = state.reason if state.reason.startswith(cause) else f"{state.reason}: {cause}"
        return f"{why}; critical: everything stops" if service.spec.critical else why
    if service.leaving:
        return f"{LEAVING[service.leaving]} once those that need it have gone"
    if state.phase is Phase.STOPPED and service.disabled:
        return "disabled"
    if state.phase is Phase.WAITING and state.waits_for:
        return f"waits for {state.waits_for}"
    if state.phase is Phase.EXTERNAL:
        return f"runs outside sbctl, pid {state.outside}"
    if state.phase in (Phase.STARTING, Phase.WAITING):  # its reason tells of the try before
        return waits(service) if state.phase is Phase.STARTING else ""
    return "" if state.reason == "asked" else state.reason


def rows(engine: Engine, used: dict[str, Figures] | None = None) -> list[dict[str, Any]]:
    now, wall = engine.loop.clock.now(), engine.loop.clock.wall()
    used = used or {}
    return [row(service, now, wall, used.get(service.name)) for service in engine.services.values()]


def why(engine: Engine, service: Service, used: Figures | None = None) -> dict[str, Any]:
    """What `sbctl why` tells: row, attempts, last words, what happened to it lately."""
    now, wall = engine.loop.clock.now(), engine.loop.clock.wall()
    policy, state = service.spec.policy, service.state
    return {
        "row": row(service, now, wall, used),
        "since": iso(service.since) if service.since else None,
        "reason": state.reason,
        "next": _next(service),
        "attempts": {
            "streak": state.streak,
            "give_up": policy.give_up,
            "fast_crash": policy.fast_crash,
            "deaths": len(state.deaths),
            "window": policy.window,
            "restart": policy.restart.value,
        },
        "critical": service.spec.critical,
        "waits_for": chain(engine, service),
        "words": list(state.cause.words) if state.cause else [],
        "events": service.events,
        "log": service.spec.launch.log,
        "argv": list(service.spec.launch.argv),
        "cwd": service.spec.launch.cwd,
    }


def _next(service: Service) -> str:
    """What helps, where its cause says that; "": look for yourself."""
    state = service.state
    remedy = state.cause.remedy if state.cause and state.phase in (Phase.BACKOFF, Phase.FAILED) else ""
    return f"{remedy}; then: sbctl start {service.name}" if remedy else ""


def in_the_way(engine: Engine, service: Service) -> list[str]:
    """The services that one that waits must wait for."""
    order, look = service.spec.order, engine.gate.standing
    names = [need.name for need in order.requires if not fulfils(look(need.name), need)]
    for name in order.after:
        standing = look(name)
        if standing is not None and standing.on_its_way:
            names.append(name)
    return names


def chain(engine: Engine, service: Service) -> list[str]:
    """On whom it waits, on whom that one waits, and so on: the last one is what to look at."""
    told: list[str] = []
    seen: set[str] = set()
    now, wall = engine.loop.clock.now(), engine.loop.clock.wall()
    while service.state.phase is Phase.WAITING and service.name not in seen:
        seen.add(service.name)
        names = in_the_way(engine, service)
        name = hopeless(service.spec.order, engine.gate.standing) or (names[0] if names else "")
        if name not in engine.services:
            break
        service = engine.services[name]
        detail = _detail(service, now, wall)
        told.append(f"{name} is {service.state.phase}" + (f": {detail}" if detail else ""))
    return told


def _is_on_its_way(service: Service) -> bool:
    state = service.state
    if service.leaving or state.phase in (Phase.STARTING, Phase.STOPPING):
        return True
    return state.phase is Phase.WAITING and not state.waits_for  # it has only just asked, and can't say yet for what


class Settling:
    """Answers once each named service is where it is wanted, or will not get there soon; else at the time limit."""

    def __init__(
        self, engine: Engine, names: list[str] | None, limit: float, settle: float, done: Callable[[bool], None]
    ) -> None:
        self._engine = engine
        self._names = names
        self._settle = settle
        self._done: Callable[[bool], None] | None = done
        self._limit = engine.loop.after(limit, lambda: self._finish(False))
        self._check_again: Timer | None = None
        self._soon = False
        self._moving = Rest(self._chosen, self._is_moving)
        self._end_watch = engine.watch(self._check_soon)
        self._check_soon()

    def _check_soon(self) -> None:
        """Once for all that changes in one turn."""
        if not self._soon:
            self._soon = True
            self._engine.loop.soon(self._check)

    def _check(self) -> None:
        self._soon = False
        if self._done is None or self._moving.anybody():
            return
        wait = 0.0
        hopeless: set[str] = set()
        for service in self._chosen():
            left = self._left(service, hopeless)
            if left is None:
                return
            wait = max(wait, left)
        if wait <= 0:
            self._finish(True)
        elif self._check_again is None:
            self._check_again = self._engine.loop.after(wait, self._time_to_check)

    def _time_to_check(self) -> None:
        self._check_again = None
        self._check()

    def _chosen(self) -> list[Service]:
        services = self._engine.services
        if self._names is None:
            return [service for service in services.values() if service.state.want is Want.UP]
        return [services[name] for name in self._names if name in services]

    def _is_moving(self, service: Service) -> bool:
        """One that is waited for still, and has not arrived for certain."""
        return _is_on_its_way(service) and (self._names is not None or service.state.want is Want.UP)

    def _left(self, service: Service, hopeless: set[str]) -> float | None:
        """Seconds until it counts as settled; None: it is on its way."""
        state = service.state
        if _is_on_its_way(service):
            return None
        if state.phase is Phase.WAITING:
            return None if self._can_come(service, hopeless) else 0.0
        if state.phase is Phase.RUNNING and not service.spec.policy.wait_ready and state.started is not None:
            return max(state.started + self._settle - self._engine.loop.clock.now(), 0.0)
        return 0.0

    def _can_come(self, service: Service, hopeless: set[str]) -> bool:
        """Whether what it waits for is on its way: not what is down, has failed, tries again, or is no service.

        `hopeless`: names of which that is known not to be so; those of a long chain are not looked at for each.
        """
        engine = self._engine
        left, found_by = [service], {service.name: ""}
        while left:
            one = left.pop()
            waits_in_vain = bool(engine.gate.missing(one))
            for name in in_the_way(engine, one):
                other, standing = engine.services.get(name), engine.gate.standing(name)
                if other is None or standing is None or standing.want is Want.DOWN or name in hopeless:
                    waits_in_vain = True
                elif standing.phase is not Phase.WAITING:
                    waits_in_vain = waits_in_vain or standing.phase not in ACTIVE
                elif name not in found_by:
                    found_by[name] = one.name
                    left.append(other)
            if waits_in_vain:
                name = one.name
                while name:  # and so does whoever waits for it
                    hopeless.add(name)
                    name = found_by[name]
                return False
        return True

    def _finish(self, settled: bool) -> None:
        done, self._done = self._done, None
        if done is None:
            return
        self._limit.cancel()
        if self._check_again is not None:
            self._check_again.cancel()
        self._end_watch()
        done(settled)

    def cancel(self) -> None:
        """Nobody waits any more."""
        self._done = None
        self._limit.cancel()
        self._end_watch()
