"""What a change of settings means for each service."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.core.plan import Change, ChangeAction, plan
from supervisor.model.limits import KernelLimits
from supervisor.model.service import Check, Launch, Order, Policy, Restart, Spec, User, WatchedLimits


def spec(
    name: str = "web", *, launch: dict[str, Any] | None = None, policy: dict[str, Any] | None = None, **rest: Any
) -> Spec:
    how = {"argv": ("serve",), "cwd": "/srv", "log": "/srv/log"} | (launch or {})
    return Spec(**({"name": name, "kind": "plugin"} | rest), launch=Launch(**how), policy=Policy(**(policy or {})))


def test_nothing_changed() -> None:
    assert plan([spec(), spec("other")], [spec("other"), spec()], {"web"}) == []


def test_instances_come_and_go_one_by_one() -> None:
    one, two, three = (spec(f"web:{number}", plugin="web", instance=number) for number in (1, 2, 3))
    assert plan([one, two, three], [one, two], {"web:1"}) == [Change("web:3", ChangeAction.REMOVE)]
    assert plan([spec("web")], [one, two], {"web"}) == [
        Change("web", ChangeAction.REMOVE),
        Change("web:1", ChangeAction.START),
        Change("web:2", ChangeAction.START),
    ]


def test_coming_and_going() -> None:
    changes = plan([spec("a"), spec("b"), spec("c")], [spec("z"), spec("b"), spec("y", auto_start=False)], set())
    assert changes == [
        Change("a", ChangeAction.REMOVE),
        Change("c", ChangeAction.REMOVE),
        Change("z", ChangeAction.START),
        Change("y", ChangeAction.ADD),
    ]


USER = User(name="nobody", uid=65534, gid=65534, groups=(), home="/")


LIVE_LIMITS = ("launch.log_age", "launch.log_budget", "limits")


@pytest.mark.parametrize(
    ("changed", "action", "fields"),
    [
        ({"launch": {"argv": ("serve", "-v")}}, "restart", ("launch.argv",)),
        ({"launch": {"env": {"A": "1"}, "user": USER}}, "restart", ("launch.env", "launch.user")),
        ({"launch": {"log": "/srv/elsewhere.log"}}, "restart", ("launch.log",)),
        ({"launch": {"log_max": 1, "log_keep": 2}}, "live", ("launch.log_keep", "launch.log_max")),
        ({"kind": "core"}, "restart", ("kind",)),
        ({"pid_file": "/srv/pid"}, "restart", ("pid_file",)),
        ({"launch": {"cwd": "/"}, "policy": {"grace": 1}}, "restart", ("launch.cwd", "policy.grace")),
        ({"policy": {"grace": 1, "restart": Restart.NEVER}}, "live", ("policy.grace", "policy.restart")),
        ({"auto_start": False, "description": "x"}, "live", ("auto_start", "description")),
        # Asked, waited for, watched and used at the next occasion: the process need not know.
        ({"ready": Check(kind="tcp", shown="", port=1)}, "live", ("ready",)),
        ({"alive": Check(kind="tcp", shown="", port=1), "watchdog": 5.0}, "live", ("alive", "watchdog")),
        ({"order": Order(after=("db",)), "policy": {"gated": True}}, "live", ("order", "policy.gated")),
        ({"limits": WatchedLimits(memory=1), "launch": {"log_age": 1.0, "log_budget": 1}}, "live", LIVE_LIMITS),
        ({"commands": {"before": ("x",)}, "reload_signal": 1}, "live", ("commands", "reload_signal")),
        # Set when it is started: only another process has them.
        ({"launch": {"limits": KernelLimits(nice=1), "notify": True}}, "restart", ("launch.limits", "launch.notify")),
        ({"launch": {"sink": "none", "err_log": "/srv/err"}}, "restart", ("launch.err_log", "launch.sink")),
    ],
)
def test_changed(changed: dict[str, Any], action: str, fields: tuple[str, ...]) -> None:
    (change,) = plan([spec()], [spec(**changed)], {"web"})
    assert change == Change("web", ChangeAction(action), fields)
    assert change.as_dict() == {"name": "web", "action": action, "fields": list(fields)}


@pytest.mark.parametrize(
    ("old", "new", "up", "action"),
    [
        ({"auto_start": False}, {}, False, "start"),
        ({"auto_start": False}, {}, True, "live"),  # a person has started it before
        ({"auto_start": False}, {"launch": {"argv": ("other",)}}, False, "start"),
        ({"auto_start": False}, {"launch": {"argv": ("other",)}}, True, "restart"),
        ({}, {"launch": {"argv": ("other",)}}, False, "leave"),
        ({}, {"policy": {"grace": 1}}, False, "live"),
        ({}, {"auto_start": False}, True, "live"),
    ],
)
def test_what_a_person_wants_decides_too(old: dict[str, Any], new: dict[str, Any], up: bool, action: str) -> None:
    (change,) = plan([spec(**old)], [spec(**new)], {"web"} if up else set())
    assert change.action == action


def test_what_a_person_has_disabled_is_not_started() -> None:
    assert plan([], [spec()], set(), ["web"]) == [Change("web", ChangeAction.ADD)]
    (change,) = plan([spec(auto_start=False)], [spec()], set(), ["web"])
    assert change.action is ChangeAction.LIVE
