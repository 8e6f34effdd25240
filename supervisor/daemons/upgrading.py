"""`start` becomes another version of itself: the same process, which keeps all that it has, goes on in other code.

    asked → a moment in which nothing is under way → signals blocked → state → exec

Everything that arrives in that time waits in the kernel: signals are pending, requests and messages are in their
sockets, output in its pipes. An exec that fails returns, and the old code goes on; if the new code fails while it
takes over, `guard` comes back.
"""

from __future__ import annotations

import os
import signal

from supervisor.base.errors import FAILED, USAGE, Problem
from supervisor.base.where import command_of, own_program
from supervisor.daemons import guard
from supervisor.daemons.handing_on import collect
from supervisor.model.event import WARNING
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.connection import Reply
    from supervisor.daemons.start import Start
    from supervisor.daemons.verbs import Args

PATIENCE_S = 10.0
LOOK_AGAIN_S = 0.005


class Upgrading:
    """One at a time."""

    def __init__(self, daemon: Start) -> None:
        self._daemon = daemon
        self._reply: Reply | None = None
        self._until = 0.0
        self.back = ""  # the `__main__.py` of this code, which may lie elsewhere by now
        self._python = ""
        self._main = ""

    def asked(self, args: Args, reply: Reply) -> None:
        if self._reply is not None:
            raise Problem("an upgrade is under way already", remedy="wait for it, then sbctl version", code=FAILED)
        back = args.get("back") or own_program()[1]
        for path in (args["python"], args["main"], back):
            _check(path)
        self.back = back
        self._python, self._main, self._reply = args["python"], args["main"], reply
        self._until = self._daemon.clock.now() + PATIENCE_S
        self._daemon.loop.after(0.0, self._look)

    # the right moment

    def _look(self) -> None:
        """From a timer: what was put off for the end of a turn can be seen there, and waited for."""
        daemon = self._daemon
        why = self._in_the_way()
        if not why:
            why = self._go()
        if daemon.shutdown.begun:
            self._refuse(Problem("sbctl is stopping", why="that goes before an upgrade", code=FAILED))
        elif daemon.clock.now() >= self._until:
            self._refuse(Problem("start can't be upgraded now", why=why, remedy="try again a little later"))
        elif self._reply is not None:
            daemon.loop.after(LOOK_AGAIN_S, self._look)

    def _in_the_way(self) -> str:
        """What is under way that could not be handed on; "": nothing."""
        daemon = self._daemon
        if daemon.shutdown.begun:
            return "sbctl is stopping"
        if daemon.predecessor is not None or daemon.rest or not daemon.verbs.has_begun:
            return "it is still starting"
        for service in daemon.engine.services.values():
            if service.state.in_flight or service.state.job or service.state.phase is Phase.STOPPING:
                return f"{service.name} is {service.state.phase.value}"
        if daemon.verbs.rolling.busy or daemon.engine.stops.busy:
            return "services are being restarted"
        if daemon.core.unsent:
            return f"{daemon.core.unsent[0]} does not read what it is told"
        return daemon.keeper.in_between or ("there is something left to do" if daemon.loop.owes else "")

    # the exec

    def _go(self) -> str:
        """Returns only if nothing came of it: with what has come up in the last moment."""
        daemon, reply = self._daemon, self._reply
        assert reply is not None
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            daemon.loop.read_signals()  # those that came before; from here on they are pending
            why = self._in_the_way()
            if not why:
                self._exec(collect(daemon, reply, {int(number) for number in before}))
        except OSError as error:
            why = f"{error.filename or self._python}: {error.strerror}"
            daemon.bus.tell("start.upgrade_failed", f"sbctl could not be upgraded: {why}", level=WARNING)
            self._refuse(Problem("the new version could not be called", why=why, remedy="the old one goes on"))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return why

    def _exec(self, state: dict[str, object]) -> None:
        fds = [*state["fds"]]  # type: ignore[misc]
        state_fd = guard.write(state)
        daemon = self._daemon
        argv = [*command_of(self._python, self._main, "start", daemon.home.path), *daemon.options.lasting]
        try:
            for fd in fds:
                os.set_inheritable(fd, True)
            os.execv(argv[0], [*argv, "--take-up", str(state_fd)])
        finally:
            for fd in fds:
                os.set_inheritable(fd, False)
            os.close(state_fd)

    def _refuse(self, problem: Problem) -> None:
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.fail(problem)


def _check(path: str) -> None:
    """Whoever may ask us may run anything anyway; this is for what somebody else may have put there."""
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        raise Problem(f"there is no {path}", why=str(error), code=USAGE) from None
    if not path.startswith("/") or found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o002:
        raise Problem(
            f"{path} is not to be trusted",
            why=f"it must be an absolute path to a file of root or of user {os.geteuid()} that others can't write",
            code=USAGE,
        )
