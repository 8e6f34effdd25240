"""Ends in order: who needs a service goes before it, and comes back after it.

A person's stop or restart of one service is a plan for several: each has its turn once all that are ordered behind it
have gone; where there is no order, all go at once. The plan is noted, so that a successor goes on with it.
What goes by itself takes along those that need it, too.
"""

from __future__ import annotations

from supervisor.core import machine
from supervisor.core.order import ready_to_stop
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import Any

    from supervisor.engine.engine import Engine
    from supervisor.engine.service import Service

NOTE = "#stopping"
THERE = (Phase.STARTING, Phase.RUNNING, Phase.STOPPING)
DOWN = (Phase.STOPPED, Phase.FAILED)

STOP = "stop"
RESTART = "restart"
REMOVE = "remove"
HOLD = "hold"  # end it, and let it wait until what it requires is back


class Turn:
    """One service whose end is decided."""

    __slots__ = ("begun", "how", "why")

    def __init__(self, how: str, why: str = "", *, begun: bool = False) -> None:
        self.how = how
        self.why = why
        self.begun = begun  # its turn has come


class Stops:
    """Who has to go, and who is waited for with it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turns: dict[str, Turn] = {}
        self._waiting = False  # somebody's turn has not come
        self._is_marked = True  # all of that is noted
        self._noted: dict[str, list[str]] = {}
        self._soon = False
        self.wanted_down: Callable[[Collection[str]], None] = lambda names: None  # told before they go
        engine.watch_service(self._changed)
        engine.before_notes = self._mark_first

    @property
    def busy(self) -> bool:
        return bool(self._turns)

    # asked for

    def stop(self, names: Iterable[str], *, now: bool = False) -> list[str]:
        """Returns who goes along, because it requires one of them. `now`: killed, all at once."""
        names = list(names)
        self.wanted_down(names)
        along = self._all_that_need(names)
        self._hold(along, "is stopped")
        self._take(names, STOP)
        self._proceed(now={*names, *along} if now else ())
        return list(along)

    def stop_all(self, *, now: bool = False) -> None:
        self.wanted_down(self._engine.services)
        self._take(list(self._engine.services), STOP)
        self._proceed(now=set(self._engine.services) if now else ())

    def restart(self, names: Iterable[str]) -> list[str]:
        """Returns who is restarted along, because it asked for that."""
        names = list(names)
        along = self._all_to_restart(names)
        self._hold(along, "is restarted")
        self._take(names, RESTART)
        self._proceed()
        return list(along)

    def remove(self, names: Iterable[str]) -> None:
        names = list(names)
        self.wanted_down(names)
        self._take(names, REMOVE)
        self._proceed()

    def release(self, name: str) -> None:
        """It is wanted up after all: neither it nor those that need it go, as far as their turn has not come."""
        if not self._turns:
            return
        released: list[str] = []
        for other in (name, *self._engine.ties.ended_with([name])):
            turn = self._turns.get(other)
            if turn is not None and not turn.begun and (other == name or turn.how == HOLD):
                self._forget(other)
                released.append(other)
        self._mark()
        for other in released:  # it stays: whoever waited for its end must know
            service = self._engine.services[other]
            self._engine.tell_changed(service, service.state.phase)

    def restore(self, note: dict[str, Any] | None, ended: Iterable[str] = ()) -> None:
        """Go on with a predecessor's plan; whoever is stopping already is waited for, too.

        `ended`: whose processes have been replaced, with nothing else noted of that.
        """
        services = self._engine.services
        self._noted = dict(note or {})  # that is what `start` keeps, until it hears otherwise
        for name, (how, why) in self._noted.items():
            if name in services:
                self._turns[name] = Turn(how, why)
        # killed before it could draw conclusions
        down = [name for name, one in services.items() if one.state.phase in DOWN and not one.state.finished]
        self._hold(self._all_that_need(down), "is down")
        self._hold(self._all_to_restart(list(ended)), "has ended")
        if not self._turns:
            self._mark()
            return
        for name, service in services.items():
            if service.state.phase is Phase.STOPPING:
                self._turns.setdefault(name, Turn(STOP, begun=True))
        self._proceed()

    # carrying it out

    def _take(self, names: list[str], how: str) -> None:
        """Whoever is not there has nobody to wait for."""
        for name in names:
            turn = self._turns[name] = Turn(how)
            if self._engine.services[name].state.phase not in THERE:
                self._forget(name)
                self._end(name, turn)

    def _hold(self, along: dict[str, str], why: str) -> None:
        """These go first; one that a person wants down, or that goes already, is left at that."""
        for name, cause in along.items():
            if name not in self._turns:
                self._turns[name] = Turn(HOLD, f"{cause} {why}")
                self._waiting, self._is_marked = True, False

    def _proceed(self, *, now: Collection[str] = ()) -> None:
        """Everybody whose turn has come; `now`: these whether it has come or not."""
        self._soon = False
        self._mark_first()
        while True:
            self._forget_gone()
            waiting, there = {name for name, turn in self._turns.items() if not turn.begun}, set(self._turns)
            ready = waiting & ready_to_stop(self._engine.ties.orders, there, there)
            ready |= {name for name in waiting if self._is_bare(name)}
            in_circle = not ready and len(waiting) == len(self._turns)  # refused by the settings; it holds up nobody
            going = waiting if in_circle else ready | waiting.intersection(now)
            for name in sorted(going):
                self._turns[name].begun = True
                self._end(name, self._turns[name], now=name in now)
            if not going:
                break
        self._mark()

    def _is_bare(self, name: str) -> bool:
        """It is on its way up and has no process yet: it is of no use to anybody."""
        state = self._engine.services[name].state
        return state.phase is Phase.STARTING and not state.has_process

    def _end(self, name: str, turn: Turn, *, now: bool = False) -> None:
        engine = self._engine
        if turn.how == STOP:
            engine.stop(name, now=now)
        elif turn.how == RESTART:
            engine.restart(name)
        elif turn.how == REMOVE:
            engine.remove(name)
        else:
            engine.must_end(name, machine.Ending.DEPENDENCY, turn.why)

    def _forget_gone(self) -> None:
        services = self._engine.services
        for name, turn in list(self._turns.items()):
            phase = services[name].state.phase if name in services else Phase.STOPPED
            if phase not in THERE or (turn.begun and phase is not Phase.STOPPING):
                if not turn.begun and turn.how != HOLD and name in services:
                    self._end(name, turn)  # it ended by itself before it could be asked to: that must not save it
                self._forget(name)

    def _forget(self, name: str) -> None:
        """Its row at once, the note with the next."""
        self._turns.pop(name, None)
        service = self._engine.services.get(name)
        if service is not None:
            service.leaving = ""

    def _mark_first(self) -> None:
        """Whose end has been noted takes nobody along any more, so those who go with it stand in a note before."""
        if not self._is_marked:
            self._note({**self._noted, **self._plan()})

    def _mark(self) -> None:
        """Rows show who is about to go; and a successor must know."""
        plan = self._plan()
        for name, turn in self._turns.items():
            self._engine.services[name].leaving = "" if turn.begun else turn.how
        self._waiting = bool(plan)
        if not self._noted.keys() <= plan.keys():
            self._engine.loop.guard(self._engine.flush)  # whose turn has come stands in its own note, then
        self._note(plan)

    def _plan(self) -> dict[str, list[str]]:
        return {name: [turn.how, turn.why] for name, turn in self._turns.items() if not turn.begun}

    def _note(self, plan: dict[str, list[str]]) -> None:
        self._is_marked = True
        if plan != self._noted:
            self._noted = plan
            self._engine.spawner.note(NOTE, plan or None)

    # what goes by itself

    def _changed(self, service: Service, before: Phase) -> None:
        name, phase = service.name, service.state.phase
        if not self._engine.stopping and name not in self._turns:
            if phase in DOWN and before not in DOWN and not service.state.finished:
                self._hold(self._all_that_need([name]), "has failed" if phase is Phase.FAILED else "is stopped")
            elif before is Phase.RUNNING and phase is not Phase.RUNNING:
                self._hold(self._all_to_restart([name]), "has ended")
        if not self._waiting:  # a stop of many at once is not gone through for each of them
            if name in self._turns and phase is not Phase.STOPPING:
                self._forget(name)
        elif not self._soon:
            self._soon = True
            self._engine.loop.soon(self._proceed)

    # who needs whom

    def _all_that_need(self, names: list[str]) -> dict[str, str]:
        """Who is there and can't be without one of these, and which one that is."""
        return self._there(self._engine.ties.ended_with(names), names)

    def _all_to_restart(self, names: list[str]) -> dict[str, str]:
        """Who asked to be restarted with one of these, or with one that is restarted for it."""
        return self._there(self._engine.ties.restarted_with(names), names)

    def _there(self, found: dict[str, str], names: list[str]) -> dict[str, str]:
        services, asked = self._engine.services, set(names)
        up = (Phase.STARTING, Phase.RUNNING)
        return {
            name: why for name, why in sorted(found.items()) if name not in asked and services[name].state.phase in up
        }
