"""What other settings change for the daemons themselves."""

from __future__ import annotations

from supervisor.core.plan import own_changes

OLD = {"settle": 1.0, "tick": 60.0, "reconcile": 30.0, "max_starting": 0, "services": []}


def test_each_daemon_names_what_it_goes_by() -> None:
    new = {**OLD, "settle": 2.0, "reconcile": 5.0, "services": [1]}

    assert [change.as_dict() for change in own_changes("scheduler", OLD, new)] == [
        {"name": "scheduler", "action": "live", "fields": ["settleSeconds", "reconcileSeconds"]}
    ]
    assert [change.fields for change in own_changes("start", OLD, new)] == [("settleSeconds",)]


def test_nothing_is_no_change() -> None:
    assert own_changes("scheduler", OLD, dict(OLD)) == []
    assert own_changes("start", None, OLD) == own_changes("start", OLD, None) == []
