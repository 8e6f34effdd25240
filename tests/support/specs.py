"""Compiled settings with what a test wants in them: the daemons read nothing else."""

from __future__ import annotations

import copy
import json
from typing import Any

from supervisor.model.check import NOTIFY, Check
from supervisor.model.order import Condition, Need, Order

from .daemon import Daemon

Change = dict[str, Any]


def requires(
    *names: str, condition: str = "ready", restart: bool = False, after: tuple[str, ...] = (), **more: Any
) -> Change:
    """The order of one that waits for these."""
    needs = tuple(Need(name, Condition(condition), restart=restart) for name in names)
    return {"order": Order(requires=needs, after=after, **more).as_dict(), "policy": {"gated": True}}


def says_ready() -> Change:
    """It is not up before it has said so."""
    check = Check(kind=NOTIFY, shown="notify")
    return {"ready": check.as_dict(), "launch": {"notify": True}, "policy": {"wait_ready": True}}


def merged(*changes: Change) -> Change:
    whole: Change = {}
    for change in changes:
        for name, value in change.items():
            both = isinstance(value, dict) and name in ("launch", "policy", "commands") and name in whole
            whole[name] = {**whole[name], **value} if both else value
    return whole


def compile_with(daemon: Daemon, changes: dict[str, Change], **whole: Any) -> None:
    """Compile the home, then change these specs; `instances: n` makes n of one."""
    result = daemon.compile()
    assert result["ok"], result
    path = daemon.home.path / "logs" / "run" / "settings" / "current" / "scheduler.json"
    compiled = json.loads(path.read_text())
    compiled["services"] = [
        spec for one in compiled["services"] for spec in _changed(one, changes.get(one["name"], {}))
    ]
    compiled.update(whole)
    path.write_text(json.dumps(compiled))


def _changed(spec: dict[str, Any], change: Change) -> list[dict[str, Any]]:
    for name, value in change.items():
        if name in ("launch", "policy", "commands"):
            spec[name].update(value)
        elif name != "instances":
            spec[name] = value
    if "instances" not in change:
        return [spec]
    return [_instance(copy.deepcopy(spec), number) for number in range(1, change["instances"] + 1)]


def _instance(spec: dict[str, Any], number: int) -> dict[str, Any]:
    plugin = spec["name"]
    spec.update(name=f"{plugin}:{number}", plugin=plugin, instance=number)
    spec["pid_file"] = spec["pid_file"].replace("server", f"server-{number}")
    spec["launch"]["log"] = spec["launch"]["log"].replace("server", f"server-{number}")
    spec["launch"]["env"]["SB_INSTANCE"] = str(number)
    return spec


def start_with(daemon: Daemon, changes: dict[str, Change], *, wait: bool = True, **whole: Any) -> Daemon:
    compile_with(daemon, changes, **whole)
    daemon.launch()
    if wait:
        daemon.settle()
    return daemon
