"""The keys of one command of a plugin: a step of its schedules."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from supervisor.settings.account_keys import Account, Group
from supervisor.settings.commands import CommandKey
from supervisor.settings.limit_keys import KernelLimits, Limits
from supervisor.settings.shape import Shape, wrong

WATCHED = frozenset(
    field.alias or "" for name, field in Limits.model_fields.items() if name not in KernelLimits.model_fields
)


class StepLimits(KernelLimits):
    """What a command may take: set before its start, and kept by the kernel."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_watched(cls, data: Any) -> Any:
        found = sorted(WATCHED.intersection(data)) if isinstance(data, dict) else []
        if found:
            remedy = (
                "take addressSpaceMb, cpuTimeSeconds or cgroup, and for the time stepTimeoutMinutes of its schedule"
            )
            raise wrong(f"{found[0]} is for servers only: nobody watches a command while it runs", remedy)
        return data


class StepKeys(Shape):
    """A command, with what holds for it alone."""

    command: CommandKey = Field(description="the command")
    limits: StepLimits | None = Field(None, description="what it may take; key by key over `limits` of the plugin")
    user: Account | None = Field(None, description="the account it runs as, instead of `user` of the plugin")
    groups: Annotated[list[Group], Field(max_length=1000)] | None = Field(
        None, description="groups of its account beside its own, instead of `groups` of the plugin"
    )

    @model_serializer(mode="wrap")
    def _as_short_as_can_be(self, handler: SerializerFunctionWrapHandler) -> Any:
        return self.command if self.model_fields_set == {"command"} else handler(self)


def _step(value: Any) -> Any:
    if isinstance(value, str | list):
        return {"command": value}
    if not isinstance(value, dict):
        raise wrong(
            "must be a text, a list of texts or a map",
            'write "python3 get.py", ["python3", "get.py"], or {"command": "python3 get.py", "limits": {"nice": 5}}',
        )
    return value


Step = Annotated[StepKeys, BeforeValidator(_step, json_schema_input_type=str | list[str] | StepKeys)]
