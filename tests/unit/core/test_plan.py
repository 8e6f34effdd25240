"""What a change of settings means for each service."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.core.plan import Change, ChangeAction, plan
from supervisor.model.service import Launch, Policy, Restart, Spec, User


def spec(
    name: str = "web", *, launch: dict[str, Any] | None = None, policy: dict[str, Any] | None = None, **rest: Any
) -> Spec:
    how = {"argv": ("serve",), "cwd": "/srv", "log": "/srv/log"} | (launch or {})
    return Spec(**({"name": name, "kind": "plugin"} | rest), launch=Launch(**how), policy=Policy(**(policy or {})))


def test_nothing_changed() -> None:
    assert plan([spec(), spec("other")], [spec("other"), spec()], {"web"}) == []


def test_coming_and_going() -> None:
    changes = plan([spec("a"), spec("b"), spec("c")], [spec("z"), spec("b"), spec("y", auto_start=False)], set())
    assert changes == [
        Change("a", ChangeAction.REMOVE),
        Change("c", ChangeAction.REMOVE),
        Change("z", ChangeAction.START),
        Change("y", ChangeAction.ADD),
    ]


USER = User(name="nobody", uid=65534, gid=65534, groups=(), home="/")


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
