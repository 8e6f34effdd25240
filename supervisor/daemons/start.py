"""`start`: the parent of everything. It spawns, reaps, keeps and supervises the core services; it parses nothing.

    lock → leftovers of a killed predecessor are ended → control socket → scheduler → config, tunnel

It never waits: not for a child, a disk, a name server or a peer that does not read.
"""

from __future__ import annotations

import os
import signal

from supervisor import __version__
from supervisor.base import garbage, proc
from supervisor.base.clock import SystemClock
from supervisor.base.errors import FAILED, Problem
from supervisor.base.files import read_pid_file, take_lock
from supervisor.base.loop import Loop
from supervisor.control.server import ControlServer
from supervisor.daemons import common, signals
from supervisor.daemons.core_services import CoreServices
from supervisor.daemons.critical import Critical
from supervisor.daemons.critical import tell as tell_critical
from supervisor.daemons.foreground import complain
from supervisor.daemons.predecessor import Predecessor, forget_pid_files
from supervisor.daemons.screen import open_screen
from supervisor.daemons.shutdown import Shutdown
from supervisor.daemons.start_verbs import StartVerbs
from supervisor.daemons.upgrading import Upgrading
from supervisor.engine.engine import Engine
from supervisor.engine.keeper import Keeper
from supervisor.engine.oom import OomCounter
from supervisor.engine.outlet import FileOutlet
from supervisor.engine.records import RecordFile
from supervisor.engine.store import Store
from supervisor.events.append import AppendFile
from supervisor.events.bus import Bus
from supervisor.events.journal import encode_line
from supervisor.model.event import WARNING
from supervisor.model.home import Home
from supervisor.model.inputs import made_for
from supervisor.model.service import Spec
from supervisor.model.trust import check_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.daemons.options import Options
    from supervisor.model.event import Event

REST_AFTER_S = 1.0  # config and tunnel wait for the scheduler's burst of spawns, but no longer than this
MAX_START_LOG = 10 << 20


class Start:
    """Built once everything that can refuse has been asked; `run` is the life of the daemon."""

    def __init__(self, home: Home, options: Options, compiled: dict[str, Any], lock: int) -> None:
        self.home = home
        self.options = options
        self.compiled = compiled
        self.lock = lock  # held by being open
        self.clock = SystemClock()
        self.loop = Loop(self.clock, common.report)
        self.open_files = common.raise_open_files()
        self.bus = Bus(self.clock, "start", common.report)
        self.records = RecordFile(home.records_file, boot=proc.boot_id(), home_id=compiled["home_id"])
        self.store = Store(
            self.loop,
            self.records,
            base_env=common.own_environment(),
            home_id=compiled["home_id"],
            open_files=self.open_files,
        )
        self.keeper = Keeper(self.loop, self.store, self._scheduler_says)
        self.engine = Engine(self.loop, self.bus.emit, FileOutlet())
        self.engine.oom = self.keeper.oom = self.oom = OomCounter()
        self.core = CoreServices(self.loop, self.store, self.engine, self.keeper, home)
        self.engine.spawner = self.core.spawner
        self.shutdown = Shutdown(self.loop, self.store, self.engine, self.keeper, self._stopped)
        self.upgrading = Upgrading(self)
        self.verbs = StartVerbs(self)
        self.critical = Critical(self.engine, self._critical_ended)
        self.server: ControlServer | None = None
        self.predecessor: Predecessor | None = None  # until its leftovers are gone
        self._specs: list[Spec] = compiled.pop("services", [])  # not handed on as settings
        self.rest: list[Spec] = []  # core services that are started after the scheduler
        self.code = 0
        self.log = AppendFile(home.start_log, self.clock, max_bytes=MAX_START_LOG, keep=1)
        self.screen = open_screen(self) if options.foreground else None

    # life

    def run(self) -> int:
        self._take_signals()
        self.bus.add(self._write)
        self.bus.add(lambda event: self.keeper.tell(event.as_dict()))
        proc.become_subreaper()
        try:
            self.server = ControlServer(self.loop, self.home.run, self.home.socket_name("start"), self.verbs.table())
        except OSError as error:
            self._fail(f"can't open the control socket in {self.home.run}: {error.strerror}")
            return self.code
        common.publish_pid(self.home.pid_file("start"))
        self._say(f"up {os.getpid()}")
        self.predecessor = Predecessor(self.loop, self.home, self.compiled["home_id"], self.bus, self._begin)
        self.predecessor.end()
        return self.live()

    def begin_again(self, mask: list[int], stand: Callable[[], None]) -> None:
        """In the place of another version, whose parts have been taken up. After `stand` there is no way back to it:
        what was pending is heard, and acted on.
        """
        proc.become_subreaper()
        self.bus.add(self._write)
        self.bus.add(lambda event: self.keeper.tell(event.as_dict()))
        self.records.open()
        self.shutdown.watch()
        self.verbs.begun()
        stand()
        self._take_signals()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        self.loop.soon(self.store.reap)
        self.loop.soon(self.shutdown.proceed)
        self.loop.soon(lambda: common.set_title("start", self.home))

    def live(self) -> int:
        self.loop.run()
        self._close()
        return self.code

    def _take_signals(self) -> None:
        self.loop.on_signal(signal.SIGCHLD, self.store.reap)
        signals.take(self.loop, self._asked_to_stop, self._ignored)

    def _ignored(self, text: str) -> None:
        """A terminal that closes must not end us; settings are reloaded by a command, which can explain."""
        self.bus.tell("signal.ignored", text)

    def _begin(self) -> None:
        self.predecessor = None
        if not self.records.open():
            self.bus.tell(
                "records.failed",
                f"can't write {self.home.records_file}: after a kill only marks would prove whose the servers are",
                level=WARNING,
            )
        if self.shutdown.begun:
            self.shutdown.proceed()
            return
        specs = self._specs
        self._banner()
        self.shutdown.watch()
        self.engine.load([spec for spec in specs if spec.name == "scheduler"])
        self.rest = [spec for spec in specs if spec.name != "scheduler"]
        self.verbs.begun()
        self.loop.after(REST_AFTER_S, self.start_rest)
        self.loop.after(REST_AFTER_S, lambda: common.set_title("start", self.home))

    def start_rest(self) -> None:
        """config and tunnel, once the scheduler's servers run."""
        rest, self.rest = self.rest, []
        if not self.shutdown.begun:
            self.engine.load(rest)
        if rest:
            self.verbs.begun()

    def _scheduler_says(self, message: dict[str, Any]) -> None:
        self.core.says("scheduler", message)
        if "critical" in message:
            self._critical_ended(*message["critical"])
        if self.screen is not None:
            self.screen.hear(message)
        if "alive" in message:
            self.oom.forget()  # whoever was killed until now was none of ours
        if message.get("ready"):
            self.loop.soon(self.start_rest)

    def _banner(self) -> None:
        compiled = self.compiled
        settings = "; ".join(compiled["summary"])
        self.bus.tell(
            "start.began",
            f"sbctl {__version__} started, pid {os.getpid()}, home {self.home}, "
            f"settings {compiled['revision']}: {settings}",
            data={"version": __version__, "pid": os.getpid(), "revision": compiled["revision"]},
        )
        for problem in compiled["problems"]:
            self.bus.tell("settings.problem", f"settings: {problem}", level=WARNING)

    # stopping

    def _critical_ended(self, name: str, how: str, code: int) -> None:
        """The first decides, unless somebody has asked for the end before."""
        if not self.shutdown.begun:
            self.code = code
            tell_critical(self.bus, name, how, code)
            self.ask_stop(f"{name} is critical", None, now=False)

    def _asked_to_stop(self, by: str, now: bool) -> None:
        self.ask_stop(by, None, now=now or self.shutdown.begun)

    def ask_stop(self, by: str, timeout: float | None, *, now: bool) -> None:
        """The first time gracefully, from then on (or with `now`) at once. Nothing takes it back."""
        if not self.shutdown.begun:
            self.verbs.stopping = True
            self.bus.tell("start.stopping", f"stopping everything ({by})", data={"by": by, "timeout": timeout})
        if self.predecessor is not None:
            self.shutdown.begun = True
            self.predecessor.hurry(timeout, now=now)
            return
        garbage.begin_ending()
        self.shutdown.begin(timeout, now=now)

    def _stopped(self) -> None:
        forget_pid_files(self.home, (entry.key for entry in self.keeper.entries()))
        for pid, command in self.store.strangers():
            what = "it ends with its container" if os.getpid() == 1 else "left alone"
            self.bus.tell(
                "stranger.left",
                f"pid {pid} ({command or '?'}) came to us as an orphan and can't be attributed: {what}",
                level=WARNING,
                data={"pid": pid},
            )
        self.bus.tell("start.stopped", "everything has stopped")
        self.loop.stop()

    def _fail(self, why: str) -> None:
        complain(f"sbctl: {why}")
        self._say(f"error {why}")
        self.code = FAILED
        self.loop.stop()

    def _close(self) -> None:
        if self.server is not None:
            self.server.close()
        self.records.close()
        common.withdraw_pid(self.home.pid_file("start"))
        if self.screen is not None:
            self.screen.close()

    # telling

    def _write(self, event: Event) -> None:
        self.verbs.last_activity = event.at
        self.log.append(encode_line(event))
        if self.screen is not None:
            self.screen.event(event)

    def _say(self, line: str) -> None:
        """To the command line that waits for us, if one does."""
        fd, keep = self.options.ready_fd, line.startswith("locked")
        if fd is None:
            return
        try:
            os.write(fd, f"{line}\n".encode())
        except OSError:
            keep = False  # it has gone away; that is its right
        if not keep:
            os.close(fd)
            self.options.ready_fd = None

    def locked(self) -> None:
        self._say(f"locked {os.getpid()}")


def main(path: str, options: Options) -> int:
    """Take the lock as the first act; whoever does not get it changes nothing."""
    home = Home(path)
    common.fill_standard_descriptors()
    common.close_inherited(options.ready_fd)
    if options.ready_fd is not None:
        os.set_inheritable(options.ready_fd, False)
    os.umask(0o022)
    os.chdir("/")
    try:
        check_own(home)
        os.makedirs(home.run, mode=0o700, exist_ok=True)
        lock = take_lock(home.lock_file)
    except Problem as problem:
        return _refuse(options, f"{problem.what}; {problem.remedy}", problem.code)
    except OSError as error:
        return _refuse(options, f"can't write below {home.logs}: {error.strerror}")
    if lock is None:
        holder = read_pid_file(home.pid_file("start")) or 0
        if options.ready_fd is None:
            complain(f"sbctl: this home is running already, pid {holder or 'not known yet'}")
        _tell(options, f"busy {holder}")
        return FAILED
    try:
        compiled = common.read_settings(home, "start")
        if not made_for(compiled, home):
            raise Problem("the compiled settings are of another home", why="this one was copied or moved: sbctl start")
    except Problem as problem:
        return _refuse(options, f"{problem.what}: {problem.why}")
    daemon = Start(home, options, compiled, lock)
    daemon.locked()
    return daemon.run()


def _refuse(options: Options, why: str, code: int = FAILED) -> int:
    complain(f"sbctl: {why}")
    _tell(options, f"error {why}")
    return code


def _tell(options: Options, line: str) -> None:
    if options.ready_fd is not None:
        try:
            os.write(options.ready_fd, f"{line}\n".encode())
        except OSError:
            return
