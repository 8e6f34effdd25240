"""Processes beside a service: its commands before, to stop, after the end, to reload; and its probes.

Each is spawned, kept and waited for like a server, under a key of its own, `web/before.3`. It has the service's
folder, user and environment. What a command says is kept in a file beside the server's log; of what a probe says only
the end is of use, so that stays in memory. What one leaves running is ended with it.
"""

from __future__ import annotations

import os

from supervisor.base.files import look_at
from supervisor.core.inputs import JobEnded
from supervisor.core.verdict import signal_name
from supervisor.engine.entries import JOB, Ends
from supervisor.engine.met_limits import met_limit
from supervisor.engine.outlet import open_log
from supervisor.engine.own_folder import make_own_folder
from supervisor.engine.tail import KEPT, Tail
from supervisor.engine.texts import duration
from supervisor.events.words import last_words
from supervisor.model.cause import Cause
from supervisor.model.launch import NONE, Launch
from supervisor.model.service import AFTER_END, BEFORE, RELOAD, STOP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.loop import Timer
    from supervisor.engine.engine import Engine
    from supervisor.engine.entries import Used
    from supervisor.engine.service import Service

    Done = Callable[[bool, str], None]

COMMANDS = (BEFORE, STOP, AFTER_END, RELOAD)  # their output is kept; that of all others is read and forgotten
WORDS = 30  # lines that may tell of a limit
SIGTERM = 15
SIGKILL = 9
STOP_RULE = (SIGTERM, 2.0)  # for whoever has to end one without us


class Job:
    """One of them, until `done` has been called."""

    __slots__ = (
        "_jobs", "began", "command", "done", "key", "limit", "log", "log_from", "log_inode", "name", "service",
        "signalled", "status", "tail", "timer",
    )  # fmt: skip

    def __init__(self, jobs: Jobs, key: str, service: str, name: str, done: Done, began: float) -> None:
        self._jobs = jobs
        self.key = key
        self.service = service
        self.name = name
        self.done = done
        self.began = began
        self.limit = 0.0
        self.timer: Timer | None = None
        self.signalled = False  # by us, before its end
        self.status: int | None = None  # wait status, once it has ended
        self.command: Launch | None = None
        self.tail: Tail | None = None
        self.log, self.log_from, self.log_inode = "", 0, 0

    def end(self, number: int = SIGKILL) -> None:
        """Hurry its end, which is told as ever."""
        self._jobs.signal(self, number)

    def leave(self) -> None:
        """End it, and nobody is told."""
        self._jobs.let_go(self)

    @property
    def code(self) -> int | None:
        """Its exit code, if it ended by itself."""
        return self.status >> 8 if self.status is not None and not self.status & 0x7F else None


class Jobs:
    """Those of all services of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: dict[str, Job] = {}
        self._number = 0
        self._refused: Cause | None = None  # why the one that is being told of was not even started

    def __len__(self) -> int:
        return len(self._jobs)

    # asking

    def run(
        self,
        service: Service,
        name: str,
        argv: tuple[str, ...],
        limit: float,
        done: Done,
        *,
        env: dict[str, str] | None = None,
        bare: bool = False,
        kept: int = KEPT,
    ) -> Job:
        """Start one; `done(ok, text)` follows once, never from within this call. It is killed at its limit.

        A limit of 0: somebody else watches it. `bare`: it needs nothing of the service but its user. `kept`: so many
        bytes of what it says.
        """
        loop = self._engine.loop
        # No scheduler that may have been killed before us has used this number: the clock is that of the boot.
        self._number = max(self._number + 1, int(loop.clock.now() * 1000))
        job = Job(self, f"{service.name}{JOB}{name}.{self._number}", service.name, name, done, loop.clock.now())
        self._jobs[job.key] = job
        if limit:
            job.limit = limit
            job.timer = loop.after(limit, job.end)
        launch = job.command = _launch(service.spec.launch, argv, env or {}, bare=bare)
        try:
            ends = self._ends(job, service.spec.launch, kept)
        except OSError as error:
            text = f"no pipe for its output: {error.strerror}"
            loop.soon(lambda: self._finish(job, ok=False, text=text))
            return job
        self._engine.spawner.spawn(job.key, launch, replaces="", ends=ends, stop=STOP_RULE)
        return job

    def run_command(self, service: Service, name: str, limit: float, done: Done) -> Job:
        """One of the commands that the settings name."""
        return self.run(service, name, service.spec.commands[name], limit, done, env=_facts(service, name))

    def ask(self, service: Service, name: str) -> None:
        """For the machine, which watches the limit itself and hears of the end."""
        done = self._tell_machine(service, name)
        if name in service.spec.commands:
            self.run_command(service, name, 0.0, done)
        else:  # other settings since this was decided: there is nothing to do any more
            self._engine.loop.soon(lambda: done(True, ""))

    def hurry(self, service: Service, name: str, number: int) -> None:
        """For the machine: end it; if it does not even wait for the end any more, nobody is told of it."""
        job = self.of(service.name, name)
        if job is not None and service.state.job == name:
            job.end(number)
        elif job is not None:
            job.leave()

    def _tell_machine(self, service: Service, name: str) -> Done:
        def done(ok: bool, text: str) -> None:
            if self._engine.services.get(service.name) is service:
                self._engine.feed(service.name, JobEnded(name, ok=ok, text=text, cause=self._refused))

        return done

    def of(self, service: str, name: str) -> Job | None:
        """The newest of this name."""
        found = [job for job in self._jobs.values() if (job.service, job.name) == (service, name)]
        return found[-1] if found else None

    def signal(self, job: Job, number: int) -> None:
        if job.key in self._jobs:
            job.signalled = True
            self._engine.spawner.signal(job.key, number)

    def forget(self, service: str = "") -> None:
        """This service is no more, or none is: nobody waits for what runs beside it."""
        for job in [job for job in self._jobs.values() if service in (job.service, "")]:
            self.let_go(job)

    def adopt(self, service: Service, entry: dict[str, Any]) -> None:
        """Go on waiting for one that a predecessor has started for the machine."""
        name = service.state.job
        now = self._engine.loop.clock.now()
        job = Job(self, entry["key"], service.name, name, self._tell_machine(service, name), now)
        self._jobs[job.key] = job
        job.command = service.spec.launch  # its limits
        job.log = commands_log(service.spec.launch)
        if entry["cause"] is not None:
            self._engine.loop.soon(lambda: self.spawn_failed(job.key, Cause.from_dict(entry["cause"])))
        elif entry["status"] is not None:
            used = entry.get("used")
            self._engine.loop.soon(lambda: self.exited(job.key, entry["status"], used and tuple(used)))

    # answers of the spawner

    def spawned(self, key: str) -> None:
        if key not in self._jobs:
            self._engine.spawner.drop(key)

    def spawn_failed(self, key: str, cause: Cause) -> None:
        job = self._jobs.get(key)
        if job is not None:
            self._refused = cause
            self._finish(job, ok=False, text=cause.text)
            self._refused = None

    def exited(self, key: str, status: int | None, used: Used | None = None) -> None:
        job = self._jobs.get(key)
        if job is not None:
            job.status = status
            ok = status == 0 and not job.signalled
            words = _words(job, 1 if ok else WORDS)
            said = next((line.strip() for line in reversed(words) if line.strip()), "")
            self._finish(job, ok=ok, text=said if ok else self._failure(job, said, words, used))

    # the end

    def _failure(self, job: Job, said: str, words: list[str], used: Used | None) -> str:
        if job.signalled:
            took = duration(job.limit or round(self._engine.loop.clock.now() - job.began, 1))
            how, met = f"not done within {took}", ""  # what we have killed met no limit
        elif job.status is None:
            how, met = "ended while nobody could wait for it", ""
        else:
            signal = "" if job.code is not None else signal_name(job.status & 0x7F)
            how = f"killed by {signal}" if signal else f"exit code {job.code}"
            met = met_limit(how, job.code, signal, words, job.command, used)
        return met or (f"{how}: {said}" if said else how)

    def _finish(self, job: Job, *, ok: bool, text: str) -> None:
        if self.let_go(job):
            job.done(ok, text)

    def let_go(self, job: Job) -> bool:
        """False: it was done already. What of its group still runs is ended: nothing may live that nobody knows."""
        if self._jobs.pop(job.key, None) is None:
            return False
        if job.timer is not None:
            job.timer.cancel()
        if job.tail is not None:
            job.tail.close()
        self._engine.spawner.drop(job.key)
        return True

    # output

    def _ends(self, job: Job, launch: Launch, kept: int) -> Ends:
        if job.name in COMMANDS:
            make_own_folder(launch)
            job.log = commands_log(launch)
            try:
                os.makedirs(os.path.dirname(job.log), mode=0o755, exist_ok=True)
            except OSError:
                job.log = os.devnull  # it is to be done all the same
            log = Launch(argv=(), cwd="", log=job.log, log_max=launch.log_max, log_keep=launch.log_keep)
            ends = Ends(out_write=open_log(log))
            job.log_from, job.log_inode = look_at(job.log)
            return ends
        read, write = os.pipe()
        job.tail = Tail(self._engine.loop, read, kept)
        return Ends(out_write=write)


def _words(job: Job, count: int) -> list[str]:
    """What it said last, so many lines if they are its own for certain."""
    if job.tail is not None:
        return job.tail.close()
    if not job.log:
        return []
    its_own = count if job.log_inode else 1  # of one that was taken over it is not known where they begin
    return last_words(job.log, its_own, since_offset=job.log_from, since_inode=job.log_inode)


def _launch(launch: Launch, argv: tuple[str, ...], env: dict[str, str], *, bare: bool) -> Launch:
    if bare:
        return Launch(argv=argv, cwd="/", log="", user=launch.user)
    data = {name: getattr(launch, name) for name in Launch.FIELDS}
    data.update(argv=argv, env={**launch.env, **env}, log="", err_log="", notify=False)
    return Launch(**data)


def _facts(service: Service, name: str) -> dict[str, str]:
    """What a command may want to know, beside the service's own environment."""
    if name in (STOP, RELOAD):
        return {"SB_MAIN_PID": str(service.pid)} if service.state.has_process else {}
    cause = service.state.exited.cause if service.state.exited else None
    if name != AFTER_END or cause is None:
        return {}
    code = "" if cause.code is None else str(cause.code)
    return {"SB_EXIT_CODE": code, "SB_EXIT_SIGNAL": cause.signal or "", "SB_CAUSE": cause.kind.value}


def commands_log(launch: Launch) -> str:
    """`server-2.log` has its `server-2.commands.log`; see `model/home.py`."""
    if launch.sink == NONE or not launch.log.endswith(".log"):
        return os.devnull
    return f"{launch.log.removesuffix('.log')}.commands.log"
