"""A new scheduler takes over what `start` has kept: processes, exits that happened meanwhile, and the notes.

The entry is the truth about the process, the note about everything else. A predecessor may have been killed between
any two lines, so a note can be older than its entry; each case is brought to the state from which the ordinary
inputs of the machine go on.
"""

from __future__ import annotations

from supervisor.base import proc
from supervisor.core import machine
from supervisor.engine.entries import JOB, KEPT, close_fds, is_job
from supervisor.engine.service import Service
from supervisor.engine.stopping import NOTE as STOPPING
from supervisor.model.cause import Cause
from supervisor.model.service import AFTER_END, BEFORE, Launch, Phase, Policy, Spec, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from supervisor.engine.engine import Engine
    from supervisor.engine.spawner import RemoteSpawner

WITH_PROCESS = (Phase.STARTING, Phase.RUNNING, Phase.STOPPING)


class Kept:
    """What `start` hands over, collected from its messages."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.notes: dict[str, dict[str, Any]] = {}

    def take_entries(self, entries: list[dict[str, Any]], fds: list[int]) -> None:
        rest = iter(fds)
        if sum(len(entry["ends"]) for entry in entries) != len(fds):
            # Some were lost on the way. To go on would leave services that nobody reads: give up, `start` reads on.
            raise SystemExit("sbctl: the pipes of the servers could not be taken over: too few open files are allowed")
        for entry in entries:
            there = entry.pop("ends")
            for name in KEPT:
                entry[name] = next(rest) if name in there else -1
            self.entries.append(entry)


class Adoption:
    """Run once, before the engine does anything else."""

    def __init__(self, engine: Engine, spawner: RemoteSpawner, was_told: Callable[[str, int], bool]) -> None:
        self._engine = engine
        self._spawner = spawner
        self._jobs: dict[str, dict[str, Any]] = {}  # newest entries of commands beside a service
        self._was_told = was_told  # does the journal have the end of this key and pid already?

    def run(self, kept: Kept, specs: Iterable[Spec]) -> int:
        """Take over; start what is new. Returns how many live processes were adopted."""
        newest = self._newest(kept.entries)
        adopted = 0
        new: list[Spec] = []
        for spec in specs:
            note, entry = kept.notes.pop(spec.name, None), newest.pop(spec.name, None)
            if note is None and entry is None:
                new.append(spec)
            else:
                adopted += self._take(spec, note, entry)
        self._engine.load(new)
        for name, entry in (*newest.items(), *self._jobs.items()):
            self._end_unknown(name, entry)
        plan = kept.notes.pop(STOPPING, None)
        for name in kept.notes:
            self._spawner.note(name, None)
        self._engine.stops.restore(plan)
        return adopted

    def _newest(self, entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """One entry a service. An older one beside it could only be a half-done replacement."""
        newest: dict[str, dict[str, Any]] = {}
        for entry in entries:
            name, _, generation = entry["key"].rpartition(".")
            entry["generation"] = int(generation)
            found = self._jobs if is_job(name) else newest
            other = found.get(name)
            if other is None or other["generation"] < entry["generation"]:
                found[name] = entry
            else:
                other = entry
            if other is not None:
                _close(other)
                self._spawner.drop(other["key"])
        return newest

    def _take(self, spec: Spec, note: dict[str, Any] | None, entry: dict[str, Any] | None) -> int:
        engine = self._engine
        service = engine.add(spec)
        if note is not None:
            service.restore(note)
        if entry is None:
            self._without_process(service)
        else:
            self._with_entry(service, entry)
        self._go_on(service)
        if entry is not None and service.state.has_process and entry["launch"] != spec.launch.digest():
            engine.restart(spec.name)  # the settings were changed while no scheduler could hear of it
        if note is not None and service.intent is not note.get("intent"):
            self._obey(service)
        return int(entry is not None and entry["status"] is None and entry["cause"] is None)

    def _go_on(self, service: Service) -> None:
        """With what it was waiting for when its scheduler died; whoever watches it looks at it anew."""
        engine, job = self._engine, service.state.job
        if job and engine.jobs.of(service.name, job) is None:
            entry = self._jobs.pop(f"{service.name}{JOB}{job}", None)
            if entry is None:
                engine.jobs.ask(service, job)
            else:
                _close(entry)
                if not entry["empty"]:
                    self._spawner.adopt(entry["key"], entry["pid"], entry["started"])
                engine.jobs.adopt(service, entry)
        engine.gate.resume(service)
        engine.tell_changed(service, Phase.STOPPED)

    def _obey(self, service: Service) -> None:
        """A person has enabled or disabled it while no scheduler could hear of it."""
        if service.disabled:
            self._engine.stops.stop([service.name])
        elif service.enabled:
            self._engine.start(service.name)

    # with a process, alive or dead

    def _with_entry(self, service: Service, entry: dict[str, Any]) -> None:
        engine, key = self._engine, entry["key"]
        judged = service.told_exit == key
        if service.key != key or service.state.phase not in WITH_PROCESS:
            if not judged:
                self._catch_up(service)
            service.key, service.generation = key, entry["generation"]
        service.pid = entry["pid"]
        if judged and entry["empty"]:
            _close(entry)
        else:
            self._read_on(service, entry)
        self._rearm(service)
        if entry["cause"] is not None:
            if not judged:
                engine.spawn_failed(key, Cause.from_dict(entry["cause"]))
            return
        if not entry["empty"]:
            self._spawner.adopt(key, entry["pid"], entry["started"])
        if service.state.in_flight:
            engine.spawned(key, entry["pid"], entry["started"])
        engine.hearing.catch_up(service, entry["notified"])
        if entry["status"] is not None and not judged:
            if self._was_told(key, entry["pid"]):
                service.told_before = True
            engine.exited(key, entry["status"], entry["empty"])
        elif judged and entry["empty"] and service.state.exited is not None:
            engine.emptied(key)
        elif entry["status"] is None and not proc.is_alive(entry["pid"], entry["started"]):
            return  # its exit is on its way to us

    def _read_on(self, service: Service, entry: dict[str, Any]) -> None:
        if entry["out_read"] >= 0:
            launch = service.spec.launch
            service.pumps = self._engine.outlet.resume(service.name, launch, entry["out_read"], entry["err_read"])
        if entry["notify"] >= 0:
            self._engine.hearing.resume(service, entry["notify"])

    def _catch_up(self, service: Service) -> None:
        """The note is from before this process was asked for: the spawn had been decided, so say so."""
        state = machine.State()
        state.streak, state.deaths, state.slowed = service.state.streak, service.state.deaths, service.state.slowed
        state.restarts, state.last_token = service.state.restarts, service.state.last_token
        state.phase, state.want, state.reason = Phase.STARTING, Want.UP, service.state.reason
        service.state = state

    # without one

    def _without_process(self, service: Service) -> None:
        """Stopped, failed or waiting: as it was. Asked for and never arrived: ask again."""
        state = service.state
        if state.in_flight:
            self._rearm(service)
            self._engine.spawn_again(service)
        elif state.job in (BEFORE, AFTER_END):
            self._rearm(service)
        elif state.phase in WITH_PROCESS:
            service.state.phase, service.state.has_process, service.state.exited = Phase.STOPPED, False, None
            if state.want is Want.UP:
                self._engine.feed(service.name, machine.StartAsked())
        else:
            self._rearm(service)

    def _rearm(self, service: Service) -> None:
        state = service.state
        if state.token and state.timer_at is not None:
            self._engine.set_timer(service, state.token, state.timer_at)

    # of a service that the settings no longer know

    def _end_unknown(self, name: str, entry: dict[str, Any]) -> None:
        if is_job(name) or entry["status"] is not None or entry["cause"] is not None:
            _close(entry)
            self._spawner.drop(entry["key"])
            return
        launch = Launch(argv=("?",), cwd="/", log=entry["log"], err_log=entry["err_log"])
        number, grace = entry["stop"]
        policy = Policy(stop_signal=number, grace=grace)
        service = Service(Spec(name=name, kind="plugin", launch=launch, policy=policy), machine.State())
        self._engine.services[name] = service
        service.key, service.generation, service.pid = entry["key"], entry["generation"], entry["pid"]
        self._read_on(service, entry)
        self._spawner.adopt(entry["key"], entry["pid"], entry["started"])
        service.state.phase, service.state.want = Phase.STARTING, Want.UP
        service.removed = True
        self._engine.spawned(entry["key"], entry["pid"], entry["started"])
        self._engine.stop(name)


def _close(entry: dict[str, Any]) -> None:
    for name in KEPT:
        close_fds(entry[name])
        entry[name] = -1
