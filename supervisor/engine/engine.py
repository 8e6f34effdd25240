"""The one supervision engine: core services in `start`, plugin servers in the scheduler, the provider in `tunnel`.

It decides nothing itself. What comes in (an answer of the spawner, a timer, a person's wish) becomes an input of
the machine; what the machine answers is carried out here. Differences between the daemons are data and the parts
handed in.
"""

from __future__ import annotations

from supervisor.base.files import look_at
from supervisor.base.rest import Rest
from supervisor.core import machine
from supervisor.engine.entries import is_job, is_step
from supervisor.engine.gate import Gate
from supervisor.engine.hearing import Hearing
from supervisor.engine.jobs import Jobs
from supervisor.engine.judging import judge_end
from supervisor.engine.pid_files import PidFiles
from supervisor.engine.readiness import lacking
from supervisor.engine.service import Service
from supervisor.engine.stopping import Stops
from supervisor.engine.telling import Telling
from supervisor.engine.ties import Ties
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.intent import choice_for
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol

    from supervisor.base.loop import Loop
    from supervisor.engine.entries import Ended, Ends, Used
    from supervisor.engine.oom import OomCounter
    from supervisor.engine.outlet import Pumps
    from supervisor.engine.spawner import Answers
    from supervisor.model.event import Event
    from supervisor.model.service import Launch, Spec

    class Outlet(Protocol):
        def open(self, name: str, launch: Launch) -> tuple[Ends, Pumps]: ...
        def resume(
            self, name: str, launch: Launch, out_fd: int, err_fd: int, seconds: tuple[int, int] = (-1, -1)
        ) -> Pumps: ...


GONE = (Phase.STOPPED, Phase.FAILED)
ON_THEIR_WAY = (Phase.WAITING, Phase.STARTING, Phase.RUNNING, Phase.EXTERNAL)


class Engine(Telling):
    """Services by name; every change of one goes through `feed`."""

    def __init__(self, loop: Loop, emit: Callable[[Event], None], outlet: Outlet) -> None:
        super().__init__(loop, emit)
        self.outlet = outlet
        self.before_restart: Callable[[str], None] = lambda name: None
        self.intent: dict[str, bool] = {}  # what a person has enabled or disabled, whatever the settings say
        self.oom: OomCounter | None = None  # tells kills for want of memory from others
        self.stopping = False  # the whole is going down: nothing is started any more
        self.ties = Ties(self.services)
        self.stops = Stops(self)
        self.gate = Gate(self)
        self.jobs = Jobs(self)
        self.hearing = Hearing(self)
        self.pid_files = PidFiles()
        self.steps: Answers | None = None  # who hears of steps of runs
        self._rest = Rest(self.services.values, self._is_there)

    # wishes

    def load(self, specs: Iterable[Spec]) -> None:
        """The services of the settings; what is wanted is started in that order, and what it requires before it."""
        self.start_wanted([self.add(spec) for spec in specs])

    def start_wanted(self, added: list[Service]) -> None:
        """Those that are started by themselves."""
        wanted = {service.name for service in added if service.enabled}
        for name in self.ties.required_by(service.name for service in added if service.enabled):
            service = self.services.get(name)
            if name in wanted or (service is not None and service.is_missing and not service.disabled):
                self.start(name)

    def add(self, spec: Spec) -> Service:
        """Known, and nothing more."""
        service = self.services[spec.name] = Service(spec, machine.State())
        service.intent = choice_for(self.intent, spec.name)
        self.ties.renew()
        return service

    def start(self, name: str) -> bool:
        """False: it is up already, or about to be."""
        service = self.services[name]
        was_leaving = service.leaving
        self.stops.release(name)
        if service.state.want is Want.UP and service.state.phase in ON_THEIR_WAY:
            return bool(was_leaving)
        self.feed(name, machine.StartAsked())
        return True

    def stop(self, name: str, *, now: bool = False) -> bool:
        """Whatever needs it; see `stops` for a stop in order."""
        service = self.services[name]
        if service.state.phase is Phase.STOPPED and service.state.want is Want.DOWN:
            return False
        self.feed(name, machine.StopAsked(now=now))
        return True

    def restart(self, name: str) -> None:
        self.before_restart(name)
        self.feed(name, machine.RestartAsked())

    def stop_all(self, *, now: bool = False) -> None:
        self.stopping = True
        self.stops.stop_all(now=now)

    def remove(self, name: str) -> None:
        """The settings no longer know it: stop it, then forget it."""
        service = self.services[name]
        service.removed = True
        self.stop(name)
        self._forget_if_gone(service)

    # what is found out about one

    def ready(self, name: str, *, up: bool = True) -> None:
        """It is ready, or later not any more (it runs on, degraded)."""
        service = self.services[name]
        service.degraded = not up or bool(service.found)  # what its alive check has found is not for it to deny
        if up and service.state.phase is Phase.STARTING:
            self.feed(name, machine.Ready())
            self.flush()  # it is said once: a successor could not find it out

    def must_end(self, name: str, ending: machine.Ending, text: str, data: dict[str, Any] | None = None) -> None:
        self.feed(name, machine.MustEnd(ending, text, data))

    def more_time(self, name: str, seconds: float) -> None:
        self.feed(name, machine.MoreTime(seconds))

    # answers of the spawner

    def spawned(self, key: str, pid: int, started: int) -> None:
        if is_step(key):
            if self.steps is not None:
                self.steps.spawned(key, pid, started)
            return
        if is_job(key):
            self.jobs.spawned(key)
            return
        service = self.by_key(key)
        if service is None:
            self.spawner.drop(key)
            return
        service.pid = pid
        self.hearing.spawned(service)
        if service.spec.pid_file:
            self.pid_files.publish(service.spec.pid_file, pid)
        self.feed(service.name, machine.Spawned())

    def spawn_failed(self, key: str, cause: Cause) -> None:
        if is_step(key):
            if self.steps is not None:
                self.steps.spawn_failed(key, cause)
            return
        if is_job(key):
            self.jobs.spawn_failed(key, cause)
            return
        service = self.by_key(key)
        if service is None:
            return
        service.pumps.close()
        service.told_exit = key
        self._note_exit(service, cause)
        self.feed(service.name, machine.SpawnFailed(cause))

    def exited(
        self,
        key: str,
        status: int | None,
        empty: bool,
        oom: bool | None = None,
        used: Used | None = None,
        *,
        ended: Ended | None = None,
    ) -> None:
        """`ended`: it was not now."""
        if is_step(key):
            if self.steps is not None:
                self.steps.exited(key, status, empty, oom, used, ended=ended)
            return
        if is_job(key):
            self.jobs.exited(key, status, used)
            return
        service = self.by_key(key)
        if service is None or service.told_exit == key:
            return
        service.pumps.drain()
        cause = judge_end(service, status, oom, self.oom, used, self.services.values())
        service.told_exit = key
        service.detail, service.degraded, service.found = "", False, ""
        self._note_exit(service, cause, ended)
        if empty:
            service.pumps.close()
        self.feed(service.name, machine.Exited(cause, empty=empty, at=ended and ended[1]))
        if service.spec.pid_file:  # a successor has been asked for by now, and its file comes with the answer
            self.pid_files.withdraw(service.spec.pid_file)

    def emptied(self, key: str) -> None:
        service = self.by_key(key)
        if service is None:
            return
        service.pumps.drain()
        service.pumps.close()
        self.feed(service.name, machine.Emptied())

    def _note_exit(self, service: Service, cause: Cause, ended: Ended | None = None) -> None:
        at = self.loop.clock.wall() if ended is None else ended[0]
        service.exit = {"code": cause.code, "signal": cause.signal, "at": at}

    def by_key(self, key: str) -> Service | None:
        """The service whose newest process this is; a late word about an older one concerns nobody."""
        service = self.services.get(key.rpartition(".")[0])
        return service if service is not None and service.key == key else None

    # the machine

    def feed(self, name: str, event: machine.Input) -> None:
        """One input: the state moves, the actions are done, who waits is told."""
        service = self.services[name]
        phase, before = service.state.phase, service.standing
        service.state, actions = machine.step(service.state, event, service.spec.policy, self.loop.clock.now())
        if service.state.phase is not phase:
            service.since = self.loop.clock.wall()
        for action in actions:
            self._do(service, action)
        if service.standing != before:
            self.tell_changed(service, phase)
        if service.removed:
            self._forget_if_gone(service)
        self.tell_watchers(name)

    def _do(self, service: Service, action: machine.Action) -> None:
        match action:
            case machine.Announce():
                self.announce(service, action)
            case machine.AskGate():
                self.gate.ask(service, look=action.look)
            case machine.RunJob():
                self.jobs.ask(service, action.job)
            case machine.EndJob():
                self.jobs.hurry(service, action.job, action.number)
            case machine.Spawn():
                self.spawn(service)
            case machine.Signal():
                self.spawner.signal(service.key, action.number)
            case machine.SetTimer():
                self.set_timer(service, action.token, self.loop.clock.now() + action.delay)
            case machine.ClearTimer():
                self._clear_timer(service)

    def spawn(self, service: Service) -> None:
        """Ask for the next generation; it replaces the entry of the one before."""
        replaces = service.key
        service.generation += 1
        service.asked_at = self.loop.clock.wall()
        service.key = f"{service.name}.{service.generation}"
        service.pid = 0
        self._spawn_as(service, replaces)

    def _spawn_as(self, service: Service, replaces: str) -> None:
        service.pumps.close()
        spec = service.spec
        service.log_from, service.log_inode = look_at(spec.launch.err_log or spec.launch.log)
        try:
            ends, service.pumps = self.outlet.open(service.name, spec.launch)
            self.hearing.open(service, ends)
        except OSError as error:
            cause = Cause(CauseKind.SYSTEM, f"no pipe for its output: {error.strerror}")
            if replaces:  # the next try replaces this one, which `start` has never heard of
                self.spawner.drop(replaces)
            self.loop.soon(lambda key=service.key: self.spawn_failed(key, cause))  # type: ignore[misc]
            return
        self.spawner.spawn(service.key, spec.launch, replaces=replaces, ends=ends, stop=spec.policy.stop)

    def spawn_again(self, service: Service) -> None:
        """The request of a predecessor that never arrived, under the same key: it is idempotent."""
        self._spawn_as(service, "")

    def set_timer(self, service: Service, token: int, due: float) -> None:
        self._clear_timer(service)
        name = service.name
        service.timer = self.loop.at(due, lambda: self._timer_due(name, token))

    def _timer_due(self, name: str, token: int) -> None:
        service = self.services.get(name)
        if service is not None:
            service.timer = None
            self.feed(name, machine.Timer(token, lacks=lacking(service)))

    def _clear_timer(self, service: Service) -> None:
        if service.timer is not None:
            service.timer.cancel()
            service.timer = None

    # leaving

    def _forget_if_gone(self, service: Service) -> None:
        if service.state.phase in GONE and self.services.get(service.name) is service:
            self._clear_timer(service)
            service.pumps.close()
            self.spawner.drop(service.key)
            self.jobs.forget(service.name)
            del self.services[service.name]
            self.ties.renew()
            self.tell_changed(service, service.state.phase)
            self.touch(service.name)

    @property
    def all_gone(self) -> bool:
        return not self._rest.anybody()

    def own_pids(self) -> set[int]:
        """Of the main processes that live."""
        return {service.pid for service in self.services.values() if service.state.has_process}

    def _is_there(self, service: Service) -> bool:
        return service.state.phase not in GONE and self.services.get(service.name) is service

    def summary(self) -> dict[str, int]:
        """How many are in which phase, for the tick."""
        counts: dict[str, Any] = {}
        for service in self.services.values():
            counts[service.state.phase.value] = counts.get(service.state.phase.value, 0) + 1
        return counts
