"""Going over to other settings while everything runs: only what changed is touched."""

from __future__ import annotations

from supervisor.core import machine
from supervisor.core.plan import ChangeAction, plan
from supervisor.model.service import Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.plan import Change
    from supervisor.engine.engine import Engine
    from supervisor.engine.service import Service
    from supervisor.model.service import Spec


def apply(engine: Engine, specs: list[Spec]) -> list[Change]:
    """Carry out the plan from the services as they are to these specs; returns what was changed."""
    old = [service.spec for service in engine.services.values() if not service.removed]
    up = {service.name for service in engine.services.values() if service.state.want is Want.UP}
    changes = plan(old, specs, up)
    wanted = {spec.name: spec for spec in specs}
    for change in changes:
        service, spec = engine.services.get(change.name), wanted.get(change.name)
        if spec is None:
            engine.remove(change.name)
        elif service is None:
            engine.load([spec])
        else:
            _change(engine, service, spec, change)
    return changes


def _change(engine: Engine, service: Service, spec: Spec, change: Change) -> None:
    service.spec, service.removed = spec, False
    service.pumps.set_limits(spec.launch)
    if change.action is ChangeAction.START:
        engine.start(service.name)
    elif change.action is ChangeAction.RESTART:
        engine.restart(service.name)
    else:
        engine.feed(service.name, machine.PolicyChanged())
