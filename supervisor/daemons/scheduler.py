"""`scheduler`: manages the plugin servers. It decides, reads their output, and writes the journal.

Under `start` the processes are spawned and kept there, so this daemon may die at any line: its successor goes on.
Alone (`sbctl serve scheduler`) the store is in this process, and crash safety is off.

    cascade      SIGTERM, or `start` is dead: the servers are stopped first, then it ends
    hand-over    SIGUSR1, then SIGTERM: it ends at once, the servers run on and are adopted
"""

from __future__ import annotations

import _socket
import os
import signal
import sys

from supervisor.base import garbage, proc
from supervisor.base.channel import Channel
from supervisor.base.clock import SystemClock
from supervisor.base.errors import FAILED, Problem
from supervisor.base.loop import Loop
from supervisor.daemons import common
from supervisor.daemons.alone import begin_alone, claim, end_escaped, end_what_is_left
from supervisor.daemons.announcing import Announcing
from supervisor.daemons.critical import CriticalServers
from supervisor.daemons.door import Door
from supervisor.daemons.heartbeat import Heartbeat
from supervisor.daemons.intents import Intents
from supervisor.daemons.logs import Logs
from supervisor.daemons.predecessor import Predecessor
from supervisor.daemons.scheduler_verbs import SchedulerVerbs
from supervisor.daemons.showing import Showing
from supervisor.daemons.taking_over import leave_nothing, take_over
from supervisor.daemons.tidying import Tidying
from supervisor.daemons.time_side import TimeSide
from supervisor.engine.adopt import Kept
from supervisor.engine.engine import Engine
from supervisor.engine.governor import Governor, draw
from supervisor.engine.oom import OomCounter
from supervisor.engine.outlet import PipeOutlet
from supervisor.engine.outside import Outside
from supervisor.engine.pid_files import PidFiles
from supervisor.engine.probes.log_line import LogLines
from supervisor.engine.probes.prober import Prober
from supervisor.engine.probes.watchdog import Watchdog
from supervisor.engine.spawner import RemoteSpawner
from supervisor.events.bus import Bus
from supervisor.model.event import WARNING, Event
from supervisor.model.home import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.daemons.options import Options
    from supervisor.engine.source import Source
    from supervisor.engine.store import Store

TITLE_AFTER_S = 0.5


class Scheduler:
    """The daemon, with or without a `start` above it."""

    def __init__(self, home: Home, options: Options, compiled: dict[str, Any]) -> None:
        self.home = home
        self.options = options
        self.compiled = compiled
        self.clock = SystemClock()
        self.loop = Loop(self.clock, common.report)
        self.bus = Bus(self.clock, "scheduler", common.report)
        self.logs = Logs(self.loop, home, compiled, self.bus)
        self.showing = Showing(self, options.shown)
        self.outlet = PipeOutlet(
            self.loop, self._output, self._trouble, self.logs.rotated, self.logs.syslog, self._loud
        )
        self.engine = Engine(self.loop, self.bus.emit, self.outlet)
        self.engine.pid_files = PidFiles(home.run)
        self.tidying = Tidying(self)
        self.intents = Intents(home, self.bus, self.clock)
        self.engine.gate.max_starting = compiled.get("max_starting", 0)
        self.engine.hearing.home_id = compiled["home_id"]
        self.engine.gate.outside = Outside(self.loop)
        self.engine.oom = OomCounter()
        self.verbs = SchedulerVerbs(self)
        self.governor = Governor(self.engine, self.verbs.usage, draw)
        self.prober = Prober(self.engine)
        self.watchdog = Watchdog(self.engine)
        self.log_lines = LogLines(self.engine)
        self.critical = CriticalServers(self)
        self.time = TimeSide(self)
        self.heartbeat = Heartbeat(self)
        self.channel: Channel | None = None
        self.remote: RemoteSpawner | None = None
        self.store: Store | None = None  # only alone
        self.predecessor: Predecessor | None = None  # only alone, until its leftovers are gone
        self.kept = Kept()
        self.announcing = Announcing(self)
        self.door = Door(self.loop, home, self.bus, self.announcing.say_how_many, self._when_said)
        self.is_there = False  # what was kept is taken over, and it can be asked
        self.stopping = False
        self._signalled = False
        self._leaving = False
        self._patience = 100  # hundredths of a second for the last words to `start`

    # life

    def run(self) -> int:
        self._take_signals()
        if not self.options.alone and not proc.die_with_parent(self.options.parent):
            end_what_is_left(self)
            return FAILED
        common.raise_open_files()
        self.engine.watch(self._after_change)
        if self.options.channel_fd is not None:
            self._connect(self.options.channel_fd)
        else:
            self._run_alone()
        self.loop.run()
        self._close()
        if self._is_orphan and (self._leaving or not self.is_there) and not self.options.alone:
            end_what_is_left(self)
        return self.critical.code

    def _take_signals(self) -> None:
        loop = self.loop
        loop.on_signal(signal.SIGTERM, self._asked_to_stop)
        loop.on_signal(signal.SIGINT, self._asked_to_stop)
        loop.on_signal(signal.SIGHUP, lambda: None)
        if not self.options.alone:  # nobody would keep what it leaves
            loop.on_signal(common.LEAVE, self._told_to_leave)
        loop.on_signal(signal.SIGCHLD, self._child_ended)

    def _child_ended(self) -> None:
        if self.store is not None:
            self.store.reap()

    def _connect(self, fd: int) -> None:
        os.set_inheritable(fd, False)
        sock = _socket.socket(fileno=fd)
        self.channel = Channel(sock, self.loop, on_message=self._hear, on_closed=self._parent_gone)
        self.remote = RemoteSpawner(self.loop, self.channel, self.engine, self.compiled["home_id"])
        self.engine.spawner = self.remote
        self.channel.send({"verb": "hello"})

    def _run_alone(self) -> None:
        self.predecessor = Predecessor(self.loop, self.home, self.compiled["home_id"], self.bus, self._begin_alone)
        self.predecessor.end()

    def _begin_alone(self) -> None:
        self.predecessor = None
        if self.stopping:
            self.loop.stop()
        else:
            begin_alone(self)

    def take_over(self, compiled: dict[str, Any]) -> None:
        """Other settings, as far as they are this daemon's own."""
        old, self.compiled = self.compiled, compiled
        self.engine.gate.let_start(compiled.get("max_starting", 0))
        self.verbs.set_settle(compiled["settle"])
        self.logs.set_limits(compiled)
        self.heartbeat.renew(old)
        self.time.reload()

    def open_door(self) -> None:
        """Before `state.json` is read: a wish of somebody who finds it shut is written there. Who comes in now is heard
        in a later turn, when all is taken over.
        """
        self.door.open({**self.verbs.table(), **self.time.verbs()})

    def _when_said(self, call: Callable[[], None]) -> None:
        """What this turn asks of `start`, and its notes."""
        if self.channel is None:
            call()
        else:
            self.engine.flush()
            self.channel.when_sent(call)

    def be_there(self) -> None:
        self.is_there = True
        common.publish_pid(self.home.pid_file("scheduler"))
        self.loop.after(TITLE_AFTER_S, lambda: common.set_title("scheduler", self.home))
        self.heartbeat.begin()

    def _output(self, name: str, stream: str, fd: int, start: int, end: int) -> None:
        self.logs.output(name, stream, fd, start, end)
        self.log_lines.output(name, stream, fd, start, end)
        self.showing.output(name, stream, fd, start, end)

    def _trouble(self, name: str, text: str, lost: int) -> None:
        """A server's output can't be written, or can again."""
        service = self.engine.services.get(name)
        if service is not None:
            service.detail = f"its output is dropped: {text}" if text else ""
        self.logs.trouble(name, text, lost)

    def _loud(self, name: str, stream: str, source: Source) -> None:
        """Of a server; runs are short."""
        service = self.engine.services.get(name)
        if service is not None:
            source.settle(self.engine.spawner, service.key, f"{stream}_second")

    # what `start` says

    def _hear(self, message: dict[str, Any], fds: list[int]) -> None:
        did = message.get("did")
        if did == "entries":
            self.kept.take_entries(message["entries"], fds)
            return
        for fd in fds:
            os.close(fd)
        if did == "notes":
            self.kept.notes.update(message["notes"])
        elif did == "end":
            if not self.stopping:  # else nothing is taken over: `start` ends what it keeps
                self._take_over()
        elif did == "event":
            self.bus.emit(Event.from_dict(message["event"]))
        elif did == "leave":  # a `start` of an earlier version, to which an upgrade has gone back
            self._told_to_leave()
        elif self.remote is not None:
            self.remote.receive(message)

    def _take_over(self) -> None:
        assert self.remote is not None
        self.open_door()
        adopted = take_over(self, self.remote, self.compiled.pop("services"))
        self.time.open()
        self.be_there()
        if adopted:
            self.bus.tell(
                "scheduler.adopted", f"scheduler took over {adopted} running servers", data={"count": adopted}
            )
        self.bus.tell("scheduler.began", f"scheduler started, pid {os.getpid()}", data={"pid": os.getpid()})
        if shortage := common.too_few_open_files(len(self.engine.services)):
            self.bus.tell("limit.low", shortage, level=WARNING)
        self._after_change()

    def _after_change(self) -> None:
        """Ready once the first burst of spawns has been answered; gone once the last server is."""
        if self.stopping:
            if self._all_gone:
                self._finish()
            return
        self.announcing.look()

    @property
    def _all_gone(self) -> bool:
        return self.engine.all_gone and self.time.all_gone

    def after_runs(self) -> None:
        """A run has begun or ended, or the desk is open."""
        self.announcing.say_how_many()
        if self.stopping:
            self._after_change()

    # ending

    def _told_to_leave(self) -> None:
        """Before the SIGTERM. Should none come it was not `start` that said so."""
        self._leaving = True
        self.loop.after(common.LEAVES_FOR_S, lambda: setattr(self, "_leaving", False))

    @property
    def _is_orphan(self) -> bool:
        return os.getppid() != self.options.parent

    def _asked_to_stop(self) -> None:
        if self.channel is not None and not self._leaving:
            self.channel.read_all()  # a `start` of an earlier version has said there that it is to leave
        if self._leaving and not self._is_orphan:
            self.engine.flush()
            self.loop.soon(self._leave)
            return
        self._leaving = False
        # The death of `start` brings a signal too, so only the second signal means "now".
        again, self._signalled = self._signalled, True
        if self.predecessor is not None:
            self.stopping = True
            self.predecessor.hurry(None, now=again)
            return
        self.cascade(now=again)

    def cascade(self, *, now: bool = False) -> None:
        if not self.stopping:
            self.stopping = self.verbs.stopping = True
            garbage.begin_ending()
            self.bus.tell("scheduler.stopping", "scheduler stops its servers, then itself")
            self.tidying.end()
        self.engine.stop_all(now=now)
        self.time.stop_all(now=now)
        if self._all_gone:
            self._finish()

    def _parent_gone(self) -> None:
        """`start` is dead: nothing may outlive it, gracefully; also not if it was to be left to a next one of us."""
        self._leaving = False
        self.bus.tell("start.lost", "start is gone: stopping all servers", level=WARNING)
        if self.remote is not None:
            self.remote.go_alone()
        self.cascade()

    def _finish(self) -> None:
        """What was to be handed to one that ends before that is for the next, or is ended as a predecessor's."""
        if self.channel is None or (self.channel.closed and self.is_there):
            end_escaped(self.compiled["home_id"])
        elif self.is_there:
            leave_nothing(self.engine)
        self.loop.soon(self._leave)

    def _leave(self) -> None:
        """Once what was said last is on its way; a `start` that does not read is not waited for without end."""
        if self.stopping and not self._all_gone:  # `start` has died since: what was to be left is ended first
            return
        self._patience -= 1
        if self.channel is None or self.channel.sent or self._patience <= 0:
            self.loop.stop()
        else:
            self.loop.after(0.01, self._leave)

    def _close(self) -> None:
        self.door.close()
        self.time.close()
        if self.channel is not None:
            self.channel.send_rest()
        if not self._leaving:
            self.bus.tell("scheduler.stopped", "scheduler stopped")
        self.showing.send_rest()
        self.logs.close()
        self.engine.pid_files.close()
        common.withdraw_pid(self.home.pid_file("scheduler"))


def main(path: str, options: Options) -> int:
    garbage.begin_loading()
    home = Home(path)
    os.umask(0o022)
    os.chdir("/")
    try:
        if options.alone:
            common.close_inherited(None)
            claim(home)
        compiled = common.read_settings(home, "scheduler")
    except Problem as problem:
        sys.stderr.write(problem.text() + "\n")
        return problem.code
    return Scheduler(home, options, compiled).run()
