"""A new scheduler takes over what `start` has kept: processes, exits that happened meanwhile, and the notes.

The entry is the truth about the process, the note about everything else. A predecessor may have been killed between
any two lines, so a note can be older than its entry; each case is brought to the state from which the ordinary
inputs of the machine go on.
"""

from __future__ import annotations

from supervisor.base import proc
from supervisor.core import machine
from supervisor.engine.entries import FIRST, JOB, KEPT, SECOND, close_fds, ended_of, is_job
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
        for names in (FIRST, SECOND):
            for entry in entries:
                for name in names:
                    entry[name] = next(rest) if name in entry["ends"] else -1
        for entry in entries:
            del entry["ends"]
        self.entries += entries


class Taken:
    """A service that a predecessor had, with what is known of it."""

    __slots__ = ("entry", "note", "service")

    def __init__(self, service: Service, note: dict[str, Any] | None, entry: dict[str, Any] | None) -> None:
        self.service = service
        self.note = note
        self.entry = entry

    @property
    def lives(self) -> bool:
        return self.entry is not None and self.entry["status"] is None and self.entry["cause"] is None

    @property
    def was_launched_otherwise(self) -> bool:
        service = self.service
        if self.entry is None or not service.state.has_process:
            return False
        return bool(self.entry["launch"] != service.spec.launch.digest())

    @property
    def was_meant_otherwise(self) -> bool:
        """Somebody has enabled or disabled it."""
        return self.note is not None and self.service.intent is not self.note.get("intent")


class Adoption:
    """Run once, before the engine does anything else."""

    def __init__(self, engine: Engine, spawner: RemoteSpawner, was_told: Callable[[str, int], bool]) -> None:
        self._engine = engine
        self._spawner = spawner
        self._jobs: dict[str, dict[str, Any]] = {}  # newest entries of commands beside a service
        self._replaced: list[str] = []  # which have ended, and only the spawn of the next process tells of it
        self._was_told = was_told  # does the journal have the end of this key and pid already?

    def run(self, kept: Kept, specs: Iterable[Spec]) -> int:
        """Take over; start what is new. Returns how many live processes were adopted."""
        engine = self._engine
        newest = self._newest(kept.entries)
        taken: list[Taken] = []
        new: list[Service] = []
        for spec in specs:  # all are known as they were before one of them moves: others may depend on it
            service, note = engine.add(spec), kept.notes.pop(spec.name, None)
            entry = self._if_newest(newest.pop(spec.name, None), note)
            if note is not None:
                service.restore(note)
            if note is None and entry is None:
                new.append(service)
            else:
                taken.append(Taken(service, note, entry))
        for one in taken:
            if one.entry is None:
                self._without_process(one.service)
            else:
                self._with_entry(one.service, one.entry)
        for one in taken:
            self._go_on(one.service)
        engine.start_wanted(new)
        for name, entry in (*newest.items(), *self._jobs.items()):
            self._end_unknown(name, entry, kept.notes.get(name))
        plan = kept.notes.pop(STOPPING, None)
        for name in kept.notes:
            self._spawner.note(name, None)
        engine.stops.restore(plan, self._replaced)
        self._hear_what_was_missed(taken)
        return sum(one.lives for one in taken)

    def _if_newest(self, entry: dict[str, Any] | None, note: dict[str, Any] | None) -> dict[str, Any] | None:
        """One from before the newest try, of which `start` never heard (there was no pipe for it), says nothing."""
        if entry is None or note is None or entry["generation"] >= note["generation"]:
            return entry
        _close(entry)
        self._spawner.drop(entry["key"])
        return None

    def _hear_what_was_missed(self, taken: list[Taken]) -> None:
        """What a person has changed while no scheduler could hear of it."""
        engine = self._engine
        anew = [one.service for one in taken if one.was_launched_otherwise]
        engine.stops.restart([s.name for s in anew if s.state.want is Want.UP and not s.is_going_down])
        meant = [one.service for one in taken if one.was_meant_otherwise]
        engine.stops.stop([service.name for service in meant if service.disabled])
        for service in meant:
            if service.enabled and not service.disabled:
                engine.start(service.name)

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

    # with a process, alive or dead

    def _with_entry(self, service: Service, entry: dict[str, Any]) -> None:
        engine, key = self._engine, entry["key"]
        judged = service.told_exit == key
        if service.key != key or service.state.phase not in WITH_PROCESS:
            if not judged:
                if service.state.phase is Phase.RUNNING:
                    self._replaced.append(service.name)
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
            engine.exited(key, entry["status"], entry["empty"], entry.get("oom"), ended=ended_of(entry))
        elif judged and entry["empty"] and service.state.exited is not None:
            engine.emptied(key)
        elif entry["status"] is None and not proc.is_alive(entry["pid"], entry["started"]):
            return  # its exit is on its way to us

    def _read_on(self, service: Service, entry: dict[str, Any]) -> None:
        if entry["out_read"] >= 0:
            launch = service.spec.launch
            seconds = entry["out_second"], entry["err_second"]
            service.pumps = self._engine.outlet.resume(
                service.name, launch, entry["out_read"], entry["err_read"], seconds
            )
        if entry["notify"] >= 0:
            self._engine.hearing.resume(service, entry["notify"])

    def _catch_up(self, service: Service) -> None:
        """The note is from before this process was asked for: the spawn had been decided, so say so."""
        state = _anew(service.state)
        state.phase, state.want = Phase.STARTING, Want.UP
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
            service.state = _anew(state)
            if state.want is Want.UP:
                self._engine.feed(service.name, machine.StartAsked())
        else:
            self._rearm(service)

    def _rearm(self, service: Service) -> None:
        state = service.state
        if state.token and state.timer_at is not None:
            self._engine.set_timer(service, state.token, state.timer_at)

    # of a service that the settings no longer know

    def _end_unknown(self, name: str, entry: dict[str, Any], note: dict[str, Any] | None) -> None:
        if is_job(name) or entry["status"] is not None or entry["cause"] is not None:
            _close(entry)
            self._spawner.drop(entry["key"])
            return
        launch = Launch(argv=("?",), cwd="/", log=entry["log"], err_log=entry["err_log"])
        number, grace = entry["stop"]
        policy = Policy(stop_signal=number, grace=grace)
        service = Service(Spec(name=name, kind="plugin", launch=launch, policy=policy), machine.State())
        self._engine.services[name] = service
        self._engine.ties.renew()
        service.key, service.generation, service.pid = entry["key"], entry["generation"], entry["pid"]
        self._read_on(service, entry)
        self._spawner.adopt(entry["key"], entry["pid"], entry["started"])
        state = service.state
        state.phase, state.want, state.has_process = Phase.RUNNING, Want.UP, True
        state.started = self._engine.loop.clock.now()
        if note is not None and note["key"] == entry["key"]:  # it has lived since then, not since we have heard of it
            state.started = note["state"]["started"] or state.started
        service.removed = True
        self._engine.stop(name)


def _anew(old: machine.State) -> machine.State:
    """Stopped, with nothing left of a process; the budget and what is shown of it stay."""
    state = machine.State()
    state.streak, state.deaths, state.slowed = old.streak, old.deaths, old.slowed
    state.restarts, state.last_token = old.restarts, old.last_token
    state.reason, state.cause = old.reason, old.cause
    return state


def _close(entry: dict[str, Any]) -> None:
    for name in KEPT:
        close_fds(entry[name])
        entry[name] = -1
