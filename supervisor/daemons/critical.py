"""Services on which everything depends (`critical: true`): when one ends for good, the whole tree goes with it.

The scheduler decides about the servers, and `start` ends the tree and has the exit code: so the word goes over the
channel. If a scheduler is killed before it has said it, its successor finds the service in that state and says it
again. The first that is heard of decides; what ends afterwards ends because everything does.
"""

from __future__ import annotations

from supervisor.core import critical
from supervisor.model.event import ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.daemons.scheduler import Scheduler
    from supervisor.engine.engine import Engine
    from supervisor.engine.service import Service
    from supervisor.events.bus import Bus
    from supervisor.model.service import Phase

    OnEnd = Callable[[str, str, int], None]  # name, how it ended, exit code

KIND = "service.critical"


class Critical:
    """Looks at each change of an engine's services, and at those taken over, until one of them was enough."""

    def __init__(self, engine: Engine, on_end: OnEnd) -> None:
        self._engine = engine
        self._on_end = on_end
        self._told = False
        engine.watch_service(self._changed)

    def _changed(self, service: Service, _before: Phase) -> None:
        if self._told or self._engine.stopping or not service.spec.critical or service.removed:
            return
        if critical.has_ended_for_good(service.state):
            self._told = True
            self._on_end(service.name, critical.how(service.state), critical.exit_code(service.state))


class CriticalServers(Critical):
    """Those of the scheduler. `code`: of a scheduler that runs alone."""

    def __init__(self, daemon: Scheduler) -> None:
        super().__init__(daemon.engine, self._tell)
        self._daemon = daemon
        self.code = 0

    def _tell(self, name: str, how: str, code: int) -> None:
        daemon = self._daemon
        if daemon.channel is not None:
            daemon.engine.flush()  # its note first: if this is our last word, a successor can say it again
            daemon.showing.send_rest()  # of how it ended, before what follows from it
            daemon.channel.send({"critical": [name, how, code]})
        else:
            self.code = code
            tell(daemon.bus, name, how, code)
            daemon.loop.soon(daemon.cascade)


def tell(bus: Bus, name: str, how: str, code: int) -> None:
    text = f"{name}: critical, and it {how}: stopping everything, exit code {code}"
    bus.tell(KIND, text, service=name, level=ERROR, data={"code": code})
