"""etc/scheduler.json, or the same as YAML in etc/scheduler.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from supervisor.settings.server_keys import ServerPolicy
from supervisor.settings.shape import FORMAT, NOT_YET, Format, Hours, Shape, Verbs

Hour = Annotated[float, Field(ge=0, le=24)]
PluginName = Annotated[str, Field(min_length=1, max_length=63)]


class ActiveHours(Shape):
    """The hours of the day in which schedules run; `end` before `start` crosses midnight."""

    start: Hour = Field(description="the first hour")
    end: Hour = Field(description="the hour at which it ends")


class ServerEntry(ServerPolicy):
    """A plugin's server; beats its manifest key by key."""

    restart_on_crash: bool | None = Field(None, description="true: restart always, false: restart never")


class Task(Shape):
    """Plugins that share a schedule. Read and checked, not run by this version."""

    name: str | None = Field(None, description="tells two tasks of one plugin apart")
    plugins: Annotated[list[PluginName], Field(min_length=1)] = Field(description="the plugins")
    commands: Verbs | None = Field(None, description="which of their commands, in this order")
    interval_hours: Hours | None = Field(None, description="hours from one run to the next, or env:NAME")
    jitter_minutes: float = Field(0.0, ge=0, le=60 * 24 * 31, description="each run is late by up to this much")


class SchedulerFile(Shape):
    """Everything in the scheduler file; each key may be left out."""

    format: Format = Field(FORMAT, description="the format of this file")
    active_hours: ActiveHours | None = Field(None, description=f"when schedules run; always if not given; {NOT_YET}")
    servers: dict[str, ServerEntry] = Field(
        {}, description="by plugin id: the keys of a manifest's `server`, and `restartOnCrash`"
    )
    tasks: list[Task] = Field([], description=f"schedules; {NOT_YET}")
