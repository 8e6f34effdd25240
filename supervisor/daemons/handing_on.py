"""Everything that `start` knows, as data: what the program that it becomes needs to go on as if nothing had happened.

Descriptors keep their numbers over an exec, so they are handed on as numbers. What can be found out again (probes,
the usage of processes, where a log is written) is not in here.
"""

from __future__ import annotations

from supervisor import __version__
from supervisor.base.where import command_of, own_program
from supervisor.engine.entries import HELD
from supervisor.model.handed_on import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.control.connection import Reply
    from supervisor.daemons.start import Start
    from supervisor.engine.engine import Engine


def collect(daemon: Start, asker: Reply, mask: set[int]) -> dict[str, Any]:
    """The state; `mask`: the signals that were blocked before this began."""
    assert daemon.server is not None
    state = {
        "format": FORMAT,
        "version": __version__,
        "argv": own_command(daemon),
        "mask": sorted(mask),
        "lock": daemon.lock,
        "compiled": daemon.compiled,
        "base_env": daemon.store.maker.base_env,
        "open_files": daemon.store.maker.open_files,
        "verbs": daemon.verbs.hand_on(),
        "services": services(daemon.engine),
        "store": daemon.store.hand_on(),
        "keeper": daemon.keeper.hand_on(),
        "core": daemon.core.hand_on(),
        "server": daemon.server.hand_on(asker),
        "counters": [daemon.records.dropped, daemon.keeper.outlet.lost, daemon.log.lost_in_all],
        "screen": daemon.screen.hand_on() if daemon.screen is not None else None,
    }
    return {**state, "fds": descriptors(state)}


def own_command(daemon: Start) -> list[str]:
    """By which this very program is called, but for what tells it to take up a state."""
    python, main = own_program()
    main = daemon.upgrading.back or main
    return [*command_of(python, main, "start", daemon.home.path), *daemon.options.lasting]


def services(engine: Engine) -> list[dict[str, Any]]:
    return [
        {
            "spec": service.spec.as_dict(),
            "note": service.note(),
            "asked_at": service.asked_at,
            "events": service.events,
            "removed": service.removed,
        }
        for service in engine.services.values()
    ]


def descriptors(state: dict[str, Any]) -> list[int]:
    """All that the state names."""
    found = [state["lock"], state["server"]["fd"], state["keeper"]["channel"], *state["core"]["channels"].values()]
    found += [connection["fd"] for connection in state["server"]["connections"]]
    for entry in state["store"]["entries"] + state["store"]["dropped"]:
        found += [entry[name] for name in HELD]
    return [fd for fd in found if fd >= 0]
