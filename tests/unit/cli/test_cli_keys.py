"""A plan names the keys that people wrote."""

from __future__ import annotations

from supervisor.cli.commands.reload import change_lines
from supervisor.cli.keys import CORE_KEYS, KEYS, written_keys
from supervisor.model.service import Launch, Policy, Spec
from supervisor.settings.api import FILES, json_schema

NOBODY_WRITES = {"launch.encoded", "launch.log", "launch.log_head", "kind", "name", "pid_file", "plugin"}


def all_keys() -> set[str]:
    """Every key of the three files, at any depth, by its last word."""
    found: set[str] = set()
    for file in FILES:
        schema = json_schema(file)
        for shape in [schema, *schema["$defs"].values()]:
            found.update(shape.get("properties", {}))
    return found


def test_every_field_has_its_key() -> None:
    fields = {f"launch.{name}" for name in Launch.__slots__} | {f"policy.{name}" for name in Policy.__slots__}
    fields |= set(Spec.__slots__) - {"launch", "policy"}
    assert fields - NOBODY_WRITES == set(KEYS)


def test_the_keys_are_those_of_the_schema() -> None:
    named = {word.rpartition(".")[2] for key in KEYS.values() for word in key.replace(" or ", ", ").split(", ")}
    assert named - {"venv"} <= all_keys()


def test_a_key_behind_several_fields_is_named_once() -> None:
    assert written_keys("web", ["limits", "launch.limits", "policy.wait_ready", "ready"]) == ["limits", "ready"]


def test_a_core_service_has_keys_of_its_own() -> None:
    assert written_keys("web", ["launch.env", "launch.log"]) == ["env", "launch.log"]
    assert written_keys("config", ["launch.env", "policy.grace"]) == [
        CORE_KEYS["config"]["launch.env"],
        "graceSeconds",
    ]


def test_what_stays_stopped_says_so() -> None:
    change = {"name": "web", "action": "leave", "fields": ["env"]}
    assert change_lines([change], dry_run=True) == ["would change:", "  leave    web  env (stays stopped)"]
