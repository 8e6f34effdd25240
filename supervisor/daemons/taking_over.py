"""What a scheduler does with all that `start` has kept of its predecessor, before it hears anybody."""

from __future__ import annotations

from supervisor.daemons.heartbeat import NOTE as HEARTBEAT
from supervisor.daemons.logs import told_exits
from supervisor.engine.adopt import Adoption
from supervisor.engine.rolling import NOTE as ROLLING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.daemons.scheduler import Scheduler
    from supervisor.engine.spawner import RemoteSpawner
    from supervisor.model.service import Spec


def take_over(daemon: Scheduler, remote: RemoteSpawner, specs: Iterable[Spec]) -> int:
    """Processes, plans and the story of each service. Returns how many live servers were adopted."""
    engine, kept = daemon.engine, daemon.kept
    daemon.heartbeat.restore(kept.notes.pop(HEARTBEAT, None))
    rolls = kept.notes.pop(ROLLING, None)
    engine.intent = daemon.intents.read()
    past = daemon.logs.journal.tail() if kept.entries or kept.notes else []
    daemon.time.take(kept)
    told = told_exits(past)
    adopted = Adoption(engine, remote, lambda key, pid: (key, pid) in told).run(kept, specs)
    daemon.verbs.rolling.restore(rolls)
    for service in engine.services.values():
        service.recall([record for record in past if record.get("service") == service.name])
    daemon.governor.review()
    return adopted
