"""What a scheduler does with all that `start` has kept of its predecessor, before it hears anybody; what it leaves."""

from __future__ import annotations

from supervisor.daemons.heartbeat import NOTE as HEARTBEAT
from supervisor.daemons.logs import told_exits
from supervisor.engine.adopt import Adoption
from supervisor.engine.rolling import NOTE as ROLLING
from supervisor.engine.stopping import NOTE as STOPPING
from supervisor.engine.time_limits import NOTE as TIME_LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from supervisor.daemons.scheduler import Scheduler
    from supervisor.engine.engine import Engine
    from supervisor.engine.service import Service
    from supervisor.engine.spawner import RemoteSpawner
    from supervisor.model.service import Spec


def take_over(daemon: Scheduler, remote: RemoteSpawner, specs: Iterable[Spec]) -> int:
    """Processes, plans and the story of each service. Returns how many live servers were adopted."""
    engine, kept = daemon.engine, daemon.kept
    daemon.heartbeat.restore(kept.notes.pop(HEARTBEAT, None))
    rolls, limits = kept.notes.pop(ROLLING, None), kept.notes.pop(TIME_LIMITS, None)
    engine.intent = daemon.intents.read()
    past = daemon.logs.journal.tail() if kept.entries or kept.notes else []
    daemon.time.take(kept)
    told = told_exits(past)
    adopted = Adoption(engine, remote, lambda key, pid: (key, pid) in told).run(kept, specs)
    daemon.verbs.rolling.restore(rolls)
    daemon.verbs.time_limits.restore(limits)
    recall_all(engine.services, past)
    daemon.governor.review()
    return adopted


def leave_nothing(engine: Engine) -> None:
    """Asked down by a cascade is not a wish to remember: the next scheduler begins with the settings."""
    engine.jobs.forget()
    engine.flush()  # now, or the notes of this very turn would come after their removal
    for plan in (STOPPING, ROLLING, TIME_LIMITS):
        engine.spawner.note(plan, None)
    for name, service in engine.services.items():
        engine.spawner.drop(service.key)
        engine.spawner.note(name, None)


def recall_all(services: Mapping[str, Service], past: Iterable[dict[str, Any]]) -> None:
    """What the journal tells of each; that of many is not gone through for each of them."""
    told: dict[str, list[dict[str, Any]]] = {}
    for record in past:
        name = record.get("service")
        if isinstance(name, str) and name in services:
            told.setdefault(name, []).append(record)
    for name, records in told.items():
        services[name].recall(records)
