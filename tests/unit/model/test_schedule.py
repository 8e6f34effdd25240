"""Schedules and policies as they are compiled, and what is shared among them."""

from __future__ import annotations

import json

import pytest

from supervisor.model.launch import Launch
from supervisor.model.run import BAD, LIVE, RunState
from supervisor.model.schedule import Catalogue, Policy


def test_a_policy_is_the_same_after_a_way_through_a_file() -> None:
    policy = Policy(jitter=60.0, blackouts=["xmas"], exclude=["2025-12-25"], safety={"min_data": 5})

    assert Policy.from_dict(json.loads(json.dumps(policy.as_dict()))).as_dict() == policy.as_dict()


def test_a_misspelt_name_in_a_policy_is_told() -> None:
    with pytest.raises(AttributeError):
        Policy(jiter=60.0)


def test_no_catalogue_is_an_empty_one() -> None:
    assert Catalogue(None).schedules == {}


def test_schedules_share_their_policies_and_know_their_commands() -> None:
    row = {"plugin": "p", "steps": ["get"], "triggers": [], "policy": 0}
    catalogue = Catalogue(
        {
            "zone": "Europe/Berlin",
            "policies": [Policy(jitter=60.0).as_dict()],
            "commands": {"p": {"get": Launch(argv=("true",), cwd="/", log="").as_dict()}},
            "groups": {"g": 2},
            "schedules": [{"id": "p.a", **row}, {"id": "p.b", **row}],
        }
    )

    first, second = catalogue.schedules["p.a"], catalogue.schedules["p.b"]
    assert first.policy is second.policy
    assert (first.policy.jitter, first.steps) == (60.0, ("get",))
    assert catalogue.commands["p"]["get"].argv == ("true",)
    assert (catalogue.zone, catalogue.groups) == ("Europe/Berlin", {"g": 2})


def test_a_thousand_commands_share_what_is_equal_in_them() -> None:
    """JSON has each word anew: two kilobytes a command."""
    home, secrets = "/a/home", ["DASHBOARD_KEY", "GITHUB_TOKEN"]
    commands = {}
    for name in ("p", "q"):
        env = {"SB_HOME": home, "SB_PLUGIN": name}
        launch = Launch(argv=("/bin/true",), cwd=home, log="", env=env, drop_env=tuple(secrets))
        commands[name] = {"get": json.loads(json.dumps(launch.as_dict()))}
    row = {"steps": ["get"], "triggers": [], "policy": 0}
    rows = [{"id": name, "plugin": "".join(name), **row} for name in json.loads('["p","q"]')]

    catalogue = Catalogue({"policies": [Policy().as_dict()], "commands": commands, "schedules": rows})

    first, second = catalogue.commands["p"]["get"], catalogue.commands["q"]["get"]
    assert (first.env, second.env) == ({"SB_HOME": home, "SB_PLUGIN": "p"}, {"SB_HOME": home, "SB_PLUGIN": "q"})
    assert first.argv is second.argv
    assert first.drop_env is second.drop_env
    assert first.limits is second.limits
    assert first.cwd is second.cwd is first.env["SB_HOME"] is second.env["SB_HOME"]
    assert catalogue.schedules["p"].id is catalogue.schedules["p"].plugin


def test_a_bad_end_is_an_end() -> None:
    assert not set(BAD) & set(LIVE)
    assert RunState.CANCELLED not in BAD
    assert RunState.INTERRUPTED not in BAD
