"""Going over to other settings while everything runs: only what changed is touched."""

from __future__ import annotations

from supervisor.core import machine
from supervisor.core.plan import ChangeAction, plan
from supervisor.model.intent import choice_for
from supervisor.model.service import Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.plan import Change
    from supervisor.engine.engine import Engine
    from supervisor.engine.rolling import Rolling
    from supervisor.engine.service import Service
    from supervisor.model.service import Spec


def apply(engine: Engine, specs: list[Spec], rolling: Rolling | None = None) -> list[Change]:
    """Carry out the plan from the services as they are to these specs; returns what was changed."""
    wanted = {spec.name: spec for spec in specs}
    for service in engine.services.values():
        if service.name in wanted and service.is_removed:  # it is in the settings again
            engine.stops.release(service.name)
    old = [service.spec for service in engine.services.values() if not service.removed]
    up = {service.name for service in engine.services.values() if service.state.want is Want.UP}
    changes = plan(old, specs, up, [name for name in wanted if choice_for(engine.intent, name) is False])
    engine.stops.remove(change.name for change in changes if change.name not in wanted)
    changed = [change for change in changes if change.name in wanted and change.name in engine.services]
    for change in changed:  # all know the new order before one of them moves
        _take_over(engine.services[change.name], wanted[change.name])
    engine.ties.renew()
    engine.load(
        [wanted[change.name] for change in changes if change.name not in engine.services and change.name in wanted]
    )
    for change in changed:
        service = engine.services[change.name]
        if change.action is ChangeAction.START:
            engine.start(service.name)
        elif change.action is not ChangeAction.RESTART:
            engine.feed(service.name, machine.PolicyChanged())
            engine.tell_changed(service, service.state.phase)  # whoever watches it goes by its new settings
    restart(engine, [change.name for change in changed if change.action is ChangeAction.RESTART], rolling)
    return changes


def _take_over(service: Service, spec: Spec) -> None:
    service.spec, service.removed = spec, False
    service.pumps.set_limits(spec.launch)


def restart(engine: Engine, names: list[str], rolling: Rolling | None) -> list[str]:
    """In order; but of several instances of one plugin never two at a time. Returns who is restarted along."""
    groups: dict[str, list[str]] = {}
    for name in names:
        spec = engine.services[name].spec
        groups.setdefault(spec.plugin if spec.instance else "", []).append(name)
    together = groups.pop("", [])
    for group in groups.values():
        if rolling is None or len(group) == 1:
            together += group
        else:
            rolling.restart(group)
    return engine.stops.restart(together)
