"""plugins/<id>/manifest.json."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo

from supervisor.model.service import CORE_NAMES, SELF_NAME
from supervisor.settings.account_keys import Account, Group
from supervisor.settings.commands import CommandKey
from supervisor.settings.schedule_keys import SERVER, ScheduleKeys, Steps
from supervisor.settings.server_keys import ServerPolicy
from supervisor.settings.shape import (
    FORMAT,
    NAME,
    FilePath,
    Format,
    Shape,
    Text,
    Variable,
    wrong,
)
from supervisor.settings.step_keys import Step, StepKeys, StepLimits
from supervisor.settings.time_keys import Hours

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
RESERVED = frozenset({*CORE_NAMES, SELF_NAME, "run", "all"})
OWN_VARIABLES = frozenset({"SB_HOME", "SB_INSTANCE", "SB_LOG_DIR", "SB_PLUGIN"})


def _check_id(value: str, info: ValidationInfo) -> str:
    folder = info.context["folder"] if info.context else value
    can_be_id = ID.fullmatch(folder) and folder not in RESERVED
    if not ID.fullmatch(value):
        letters = "small letters, digits, - and _, at most 63 of them, a letter or digit first"
        raise wrong(
            "not an id", f"use {letters}" if can_be_id else f"rename the folder, and this to the same: {letters}"
        )
    if value in RESERVED:
        raise wrong(f"{value} is a word of sbctl itself", "choose another id, and rename the folder to it")
    if value != folder:
        rename = f"rename the folder to {value}"
        remedy = f'write "{folder}", or {rename}' if can_be_id else rename
        raise wrong("differs from the name of its folder", remedy)
    return value


def _check_own(name: str) -> str:
    if name in OWN_VARIABLES:
        raise wrong(f"{name} is set by sbctl", "remove it")
    return name


def _check_value(value: str) -> str:
    if value.startswith("env:") and not NAME.fullmatch(value[4:]):
        raise wrong("env: wants the name of a variable", "write env:NAME")
    if value == "file:":
        raise wrong("file: wants a path", "write file:PATH")
    return value


def _check_server(value: Any) -> Any:
    if isinstance(value, dict):
        raise wrong("must be a text or a list of texts", 'its limits stand in "server", its account in "user"')
    return value


class Commands(Shape):
    """What the plugin can do; each a text, a list of words, or a map with what holds for that command alone."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Step]

    server: Annotated[CommandKey, BeforeValidator(_check_server)] | None = Field(
        None, description="the server, which is kept running"
    )
    get: Step | None = Field(None, description="the first step of its schedules: fetches data")
    process: Step | None = Field(None, description="the second: works on them")
    push: Step | None = Field(None, description="the third: passes the outcome on")
    backup: Step | None = Field(None, description="runs before `process`, for `rollback` to go back to")
    rollback: Step | None = Field(None, description="runs when `process` has failed or its outcome was refused")

    @property
    def steps(self) -> dict[str, StepKeys]:
        """All but the server, in the order of the lines above, then by name."""
        own = ((name, getattr(self, name)) for name in type(self).model_fields if name != SERVER)
        found = {name: command for name, command in own if command is not None}
        return {**found, **dict(sorted((self.__pydantic_extra__ or {}).items()))}


class _Mode(Shape):
    """The words of a manifest for what a task says with others."""

    mode: Literal["interval", "at", "cron", "once"] | None = Field(
        None, description="the kind of time rule; must agree with those that are given"
    )
    default_interval_hours: Hours | None = Field(None, description="another word for `intervalHours`")
    cmd: Steps | None = Field(None, description="another word for `commands`")


class ScheduleDefaults(ScheduleKeys, _Mode):
    """The plugin's schedule while no task names the plugin."""


class Manifest(Shape):
    """A plugin. Only `id` must be given."""

    format: Format = Field(FORMAT, description="the format of this file")
    id: Annotated[str, AfterValidator(_check_id)] = Field(description="the name of the plugin's folder")
    name: Text = Field("", description="for people")
    description: Text = Field("", description="for people")
    version: Text = Field("", description="for people")
    commands: Commands = Field(Commands(), description="what it can do; further ones may have any name")
    cwd: FilePath = Field(".", description="`.` is the plugin's folder, `home` is the home; else a path")
    env: dict[Annotated[Variable, AfterValidator(_check_own)], Annotated[Text, AfterValidator(_check_value)]] = Field(
        {}, description="added to the environment; `env:NAME`, `file:PATH` and `${NAME}` are filled in at the start"
    )
    env_file: FilePath | None = Field(None, description="a file of NAME=VALUE lines, read at each start")
    pass_env: list[Variable] = Field([], description="secrets of sbctl that the plugin gets, like GITHUB_TOKEN")
    user: Account | None = Field(None, description="the account it runs as: a name or number")
    groups: Annotated[list[Group], Field(max_length=1000)] = Field(
        [], description="groups of that account beside its own: names or numbers"
    )
    limits: StepLimits | None = Field(
        None, description="what each of its commands may take; not its server, which has its own in `server`"
    )
    server: ServerPolicy = Field(ServerPolicy(), description="how its server is kept")
    scheduler: ScheduleDefaults | None = Field(
        None,
        description="its schedule while no task names it: all keys of a task, and three words of its own",
    )
