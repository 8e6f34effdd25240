"""`start` goes on in this code with what another version of it has handed on: see `upgrading` and `guard`.

Until it stands it only builds: nothing is read, written, waited for or closed, so the old code could still go on from
the same state.
"""

from __future__ import annotations

import _socket
import os

from supervisor import __version__
from supervisor.base.errors import FAILED, Problem
from supervisor.control.server import ControlServer
from supervisor.daemons import guard
from supervisor.daemons.start import Start
from supervisor.engine.entries import service_of
from supervisor.model.event import WARNING
from supervisor.model.handed_on import READS
from supervisor.model.home import Home
from supervisor.model.service import CORE_NAMES, Phase, Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.control.connection import Reply
    from supervisor.daemons.options import Options


def main(path: str, options: Options) -> int:
    assert options.state_fd is not None
    os.set_inheritable(options.state_fd, False)
    state, failures = guard.read(options.state_fd)
    if state["format"] not in READS:
        raise ValueError(f"a state of format {state['format']}; this version understands {READS}")
    daemon = Start(Home(path), options, state["compiled"], state["lock"])
    reply = _build(daemon, state)
    for fd in state["fds"]:
        os.set_inheritable(fd, False)
    daemon.begin_again(state["mask"], guard.stand)
    _tell(daemon, state["version"], failures, reply)
    return daemon.live()


def _build(daemon: Start, state: dict[str, Any]) -> Reply | None:
    """All parts as they were. Returns whom to answer."""
    store, core = daemon.store, daemon.core
    store.maker.base_env, store.maker.open_files = state["base_env"], state["open_files"]
    daemon.server = ControlServer(
        daemon.loop,
        daemon.home.run,
        daemon.home.socket_name("start"),
        daemon.verbs.table(),
        _socket.socket(fileno=state["server"]["fd"]),
    )
    if daemon.screen is not None and state["screen"] is not None:
        daemon.screen.take_up(state["screen"])
    reply = daemon.server.take_up(state["server"]["connections"])
    store.take_up(state["store"], lambda key: core.spawner if service_of(key) in CORE_NAMES else daemon.keeper)
    daemon.keeper.take_up(state["keeper"])
    core.take_up(state["core"])
    daemon.verbs.take_up(state["verbs"])
    daemon.records.dropped, daemon.keeper.outlet.lost, daemon.log.lost_in_all = state["counters"]
    for data in state["services"]:
        _restore(daemon, data)
    for service in daemon.engine.services.values():
        daemon.engine.gate.resume(service)
        daemon.engine.tell_changed(service, Phase.STOPPED)
    return reply


def _restore(daemon: Start, data: dict[str, Any]) -> None:
    service = daemon.engine.add(Spec.from_dict(data["spec"]))
    service.restore(data["note"])
    service.asked_at, service.removed = data["asked_at"], data["removed"]
    service.recall(data["events"])
    entry = daemon.store.entries.get(service.key)
    service.pid = entry.pid if entry is not None else 0
    if service.state.token and service.state.timer_at is not None:
        daemon.engine.set_timer(service, service.state.token, service.state.timer_at)


def _tell(daemon: Start, before: str, failures: list[str], reply: Reply | None) -> None:
    if not failures:
        data = {"from": before, "to": __version__}
        daemon.bus.tell("start.upgraded", f"start goes on as sbctl {__version__}, it was {before}", data=data)
        if reply is not None:
            reply.send({"pid": os.getpid(), "version": __version__, "from": before})
        return
    why = failures[-1]
    text = f"the new version of start could not take over, {before} goes on: {why}"
    daemon.bus.tell("start.upgrade_failed", text, level=WARNING, data={"why": why})
    if reply is not None:
        reply.fail(Problem("the new version could not take over", why=why, remedy="the old one goes on", code=FAILED))
