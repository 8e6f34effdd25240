"""etc/scheduler.json, or the same as YAML in etc/scheduler.yaml; and etc/schedules.d/<id>.json."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from supervisor.settings.check_keys import Http, Statuses, Tcp
from supervisor.settings.commands import CommandKey
from supervisor.settings.hours_keys import Calendar, Windows
from supervisor.settings.safety_keys import Safety
from supervisor.settings.schedule_keys import Defaults, Label, ScheduleKeys
from supervisor.settings.server_keys import ServerPolicy
from supervisor.settings.shape import FORMAT, Count, Format, OneOf, Seconds, Shape, wrong

PluginName = Annotated[str, Field(min_length=1, max_length=63)]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


def _check_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise wrong("not a name for a schedule", "use letters, digits, - and _, at most 63, a letter or digit first")
    return name


class ServerEntry(ServerPolicy):
    """A plugin's server; beats its manifest key by key."""

    restart_on_crash: bool | None = Field(None, description="true: restart always, false: restart never")


class _Plugins(Shape):
    """Whom a task is for."""

    name: Annotated[str, AfterValidator(_check_name)] | None = Field(
        None, description="tells two tasks of one plugin apart: their schedules are `plugin` and `plugin.name`"
    )
    plugins: Annotated[list[PluginName], Field(min_length=1)] = Field(
        description="the plugins, each of which gets a schedule of its own"
    )


class Task(ScheduleKeys, _Plugins):
    """Plugins that share a schedule."""


class _Plugin(Shape):
    """What a file of one schedule says beside its keys."""

    format: Format = Field(FORMAT, description="the format of this file")
    plugin: PluginName | None = Field(None, description="the plugin; the id up to the dot if not given")


class ScheduleFile(ScheduleKeys, _Plugin):
    """One schedule: all keys of `tasks[]` but `name` and `plugins`, and these. Beats a task or manifest key by key."""


class NamedCheck(OneOf):
    """Something that must be well before a run: exactly one of http, tcp and exec."""

    ONE_OF: ClassVar[tuple[str, ...]] = ("http", "tcp", "exec")

    http: Http | None = Field(None, description="GET answers with one of `statuses`: `https://api.example.org/health`")
    tcp: Tcp | None = Field(None, description="a connection is taken: `HOST:PORT`, or a port of this machine")
    exec: CommandKey | None = Field(None, description="a command ends with exit code 0; it runs in the home")
    statuses: Statuses | None = Field(None, description="of http: one status or a range; `200-399` if not given")
    interval_seconds: Seconds = Field(60.0, description="so long an answer counts; asked only when a run is due")
    timeout_seconds: Seconds = Field(10.0, description="of one try")


class SchedulerFile(Shape):
    """Everything in the scheduler file; each key may be left out."""

    format: Format = Field(FORMAT, description="the format of this file")
    active_hours: Windows | None = Field(
        None, description="when schedules run: a map or a list of maps; always if not given"
    )
    servers: dict[str, ServerEntry] = Field(
        {}, description="by plugin id: the keys of a manifest's `server`, and `restartOnCrash`"
    )
    tasks: list[Task] = Field([], description="schedules: what runs when")
    defaults: Defaults = Field(Defaults(), description="for all schedules; what a schedule says itself beats it")
    safety: Safety = Field(Safety(), description="the same for their `safety`")
    groups: dict[Label, Count] = Field({}, description="by name: so many runs of that `group` at a time")
    blackouts: dict[Label, Calendar] = Field({}, description="by name: times in which nothing runs, as a list of rules")
    checks: dict[Label, NamedCheck] = Field({}, description="by name: what must be well before a run")
