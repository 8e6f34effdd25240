"""The sentence of each event of a service, and the data beside it. Only here are they put into words."""

from __future__ import annotations

from supervisor.base.clock import iso
from supervisor.base.counting import counted
from supervisor.core import actions
from supervisor.model.service import Restart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.core.machine import Announce
    from supervisor.engine.service import Service


def describe(service: Service, action: Announce, now: float) -> tuple[str, dict[str, Any]]:
    """(text, data). The data names the process, so that a reader can tell one life from the next."""
    data = dict(action.data)
    data["key"] = service.key
    data["pid"] = service.pid or None
    if action.kind == actions.BACKING_OFF:
        data["retry_in"] = data["delay"]
    elif action.kind == actions.STARTED and service.asked_at:
        data["asked_at"] = iso(service.asked_at)
    return f"{service.name}: {_sentence(service, action.kind, data)}", data


def _sentence(service: Service, kind: str, data: dict[str, Any]) -> str:
    if kind == actions.STARTED:
        restarts = data["restarts"]
        return f"started, pid {service.pid}" + (f" (restart {restarts})" if restarts else "")
    if kind == actions.READY:
        return f"ready after {duration(data['after'])}" + (f": {service.detail}" if service.detail else "")
    if kind == actions.EXITED:
        return f"ended after {duration(data['uptime'])}: {data['cause']['text']}"
    if kind == actions.SPAWN_FAILED:
        return f"could not be started: {data['cause']['text']}"
    if kind == actions.BACKING_OFF:
        crash = f"crash {data['streak']} of {data['give_up']}, " if data["streak"] else ""
        return f"{data['reason']}: {crash}next try in {duration(data['delay'])}"
    if kind == actions.GAVE_UP:
        what = f"given up after {counted(data['streak'], 'fast crash')} in a row: {data['cause']}"
        return f"{what}; sbctl start {service.name} tries again"
    if kind == actions.SLOWED:
        what = f"ended {counted(data['deaths'], 'time')} in {duration(data['window'])}"
        return f"{what}: from now on one start in {duration(data['delay'])}"
    if kind == actions.STOPPING:
        return f"stopping, pid {service.pid} ({data['reason']})" if service.pid else f"stopping ({data['reason']})"
    if kind == actions.STOPPED:
        return f"stopped ({data['reason']})"
    if kind == actions.KILLED:
        if data["grace"] is None:
            return "killed: no more time"
        # With a command to stop it that is the sum of all limits, of which a quick command leaves the most.
        in_time = "in time" if service.spec.policy.stop_command else f"within {duration(data['grace'])}"
        return f"did not end {in_time}: killed"
    if kind == actions.NOT_READY:
        return f"not ready within {duration(data['start_timeout'])}: ended"
    if kind == actions.WAITING:
        return f"waits for {data['reason']}"
    if kind == actions.WAITS_LONG:
        return f"has waited {duration(data['after'])} for {data['reason']}"
    if kind == actions.EXTERNAL:
        return f"runs already, started by somebody else (pid {data['outside']}): left alone until that one ends"
    if kind == actions.COMMAND_FAILED:
        return f"its command {data['job']} failed: {data['reason']}"
    if kind in ENDED_BY_US:
        follows = "ending it" if service.spec.policy.restart is Restart.NEVER else "restarting"
        return f"{ENDED_BY_US[kind].format(follows)}: {data['reason']}"
    raise AssertionError(f"no sentence for {kind}")


ENDED_BY_US = {
    actions.UNHEALTHY: "not healthy, {}",
    actions.WATCHDOG: "{}",  # silent for too long, or it asked for it
    actions.OVER_LIMIT: "over its limit, {}",
    actions.AGED: "old enough, restarting",  # which is no death, so nothing forbids it
    actions.HELD: "held until what it requires is back",
}


def duration(seconds: float) -> str:
    """`0.2 s`, `12 s`, `3m 5s`, `2h 0m`, `3d 4h`."""
    if seconds < 10:
        return f"{seconds:.1f} s" if seconds % 1 else f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"
