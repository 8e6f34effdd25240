"""The keys of a schedule: those of a task, of a file in `etc/schedules.d`, and of a manifest's `scheduler`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.alias_generators import to_camel

from supervisor.settings.hours_keys import Windows
from supervisor.settings.safety_keys import Safety
from supervisor.settings.shape import DAY_S, ExitCode, Seconds, Shape, Text, ZeroSeconds, as_list, wrong
from supervisor.settings.time_keys import Dates, Hours, LocalMoment, Moments, Times, Weekdays

STEP = re.compile(r"[a-z][a-z0-9_-]{0,31}")
SERVER = "server"
MAX_MINUTES = 60 * 24 * 31

TRIGGERS = (
    "interval_hours", "interval_minutes", "interval_seconds", "at", "cron", "once", "after_schedule",
)  # fmt: skip
OF_TRIGGERS = (*TRIGGERS, "after_finish", "weekdays", "seconds")  # ... and what says more about one
INTERVALS = TRIGGERS[:3]


def _check_step(name: str) -> str:
    if name == SERVER:
        raise wrong("the server is no step: it is kept running", "name other commands of the plugin")
    if not STEP.fullmatch(name):
        raise wrong("not the name of a command", "use small letters, digits, - and _, a letter first, at most 32")
    return name


def _check_label(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise wrong("must be a word or two on one line", "write letters, digits and signs")
    return text


def _after(value: Any) -> Any:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(each, str | dict) for each in values):
        raise wrong("must be a schedule, a map, or a list of those", 'write "twitter", or {"schedule": "twitter"}')
    return [{"schedule": each} if isinstance(each, str) else each for each in values]


def _retry(value: Any) -> Any:
    return {"times": value} if isinstance(value, int) and not isinstance(value, bool) else value


Label = Annotated[str, Field(min_length=1, max_length=63), AfterValidator(_check_label)]
StepName = Annotated[str, AfterValidator(_check_step)]
Steps = Annotated[
    list[StepName],
    BeforeValidator(as_list, json_schema_input_type=str | list[str]),
    Field(min_length=1, max_length=100),
]
Lines = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=1000)]],
    BeforeValidator(as_list, json_schema_input_type=str | list[str]),
    Field(min_length=1, max_length=100),
]
Labels = Annotated[list[Label], BeforeValidator(as_list, json_schema_input_type=str | list[str]), Field(max_length=100)]
Minutes = Annotated[float, Field(gt=0, le=MAX_MINUTES)]
ZeroMinutes = Annotated[float, Field(ge=0, le=MAX_MINUTES)]


class After(Shape):
    """Another schedule, whose end is a trigger."""

    schedule: Annotated[str, Field(min_length=1, max_length=127)] = Field(description="its id")
    when: Literal["succeeded", "failed", "done"] = Field(
        "succeeded", description="which of its ends count; `done`: all but `cancelled`"
    )
    delay_seconds: ZeroSeconds = Field(0.0, description="so long after that")


class Retry(Shape):
    """What is tried again. A number alone is `times`."""

    times: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        None, description="so often a failed step is tried again"
    )
    delay_seconds: ZeroSeconds | None = Field(None, description="before the first new try; 60 if not given")
    factor: Annotated[float, Field(ge=1, le=100)] | None = Field(
        None, description="each wait is so many times the one before; 2 if not given"
    )
    max_delay_seconds: Seconds | None = Field(None, description="... but never longer; 3600 if not given")
    codes: list[ExitCode] | None = Field(None, description="only after these exit codes; any if not given")
    not_codes: list[ExitCode] | None = Field(None, description="never after these")
    timeouts: bool | None = Field(None, description="also after a step's time limit; false if not given")


AfterList = Annotated[
    list[After],
    BeforeValidator(_after, json_schema_input_type=str | After | list[str | After]),
    Field(max_length=100),
]
RetryKeys = Annotated[Retry, BeforeValidator(_retry, json_schema_input_type=int | Retry)]


class What(Shape):
    """What is run, and what people are told of it."""

    commands: Steps | None = Field(
        None,
        description="commands of the plugin, in this order; those of get, process and push that it has if not given",
    )
    description: Text | None = Field(None, description="for people")
    enabled: bool | None = Field(None, description="false: it only runs by hand; true if not given")
    tenant: Label | None = Field(None, description="a label to filter by, for people and in SB_TENANT")


class When(Shape):
    """The time rules. Any that are given hold together: a slot of one is a slot of the schedule."""

    timezone: Label | None = Field(None, description="a name like Europe/Berlin; that of `etc/sbctl.yaml` if not given")
    interval_hours: Hours | None = Field(
        None, description="hours from one run to the next, or `env:NAME` (12 while that is not set)"
    )
    interval_minutes: Annotated[float, Field(gt=0, le=MAX_MINUTES)] | None = Field(
        None, description="the same in minutes"
    )
    interval_seconds: Annotated[float, Field(ge=1, le=31 * DAY_S)] | None = Field(
        None, description="the same in seconds"
    )
    after_finish: bool | None = Field(
        None, description="the interval begins at the end of a run, not at the slot of the one before"
    )
    at: Times | None = Field(None, description="times of day: `08:00`, `08:00:30`")
    weekdays: Weekdays | None = Field(
        None, description="of `at`: `mon` to `sun`, or ranges like `mon-fri`; every day if not given"
    )
    cron: Lines | None = Field(None, description="cron lines; `H` in a field is a number of the schedule's own")
    seconds: bool | None = Field(None, description="the cron lines have a field for the second in front")
    once: Moments | None = Field(
        None, description="one single time: `2026-12-01T10:00` (local), or with `Z` or `+01:00` behind"
    )
    after_schedule: AfterList | None = Field(
        None, description="the end of another schedule: its id, or a map, or several"
    )
    run_at_start: bool | None = Field(
        None, description="an interval is due at once when sbctl sees it for the first time; true if not given"
    )
    valid_from: LocalMoment | None = Field(None, description="no slots before this local time or date")
    valid_until: LocalMoment | None = Field(None, description="none after it; a date belongs to it")
    exclude: Dates | None = Field(None, description="dates without slots")
    active_hours: Windows | None = Field(
        None, description="instead of `activeHours` of all: a map, a list of maps, or false for none"
    )

    @model_validator(mode="after")
    def _has_one_interval(self) -> Self:
        return _one_of(self, INTERVALS)


class How(Shape):
    """How slots are judged and runs are kept; may also stand in `defaults`."""

    dst: Literal["vixie", "literal", "skip"] | None = Field(
        None,
        description="a local time that a change of the clock leaves out or repeats: run once all the same (`vixie`, if "
        "not given), as the clock says (`literal`), or leave it out (`skip`)",
    )
    jitter_minutes: ZeroMinutes | None = Field(None, description="each run is late by up to this much")
    jitter_seconds: ZeroSeconds | None = Field(None, description="the same in seconds")
    jitter: Literal["perRun", "stable", "none"] | None = Field(
        None,
        description="another delay each time (`perRun`, if not given, of jitterMinutes), or always the same one "
        "(`stable`, if not given, of jitterSeconds)",
    )
    outside_hours: Literal["defer", "skip", "run"] | None = Field(
        None,
        description="outside the active hours: wait for them (`defer`, if not given, of intervals), leave the slot out "
        "(`skip`, of all others), or run all the same",
    )
    blackouts: Labels | None = Field(None, description="names of `blackouts` in which nothing runs")
    missed: Literal["skip", "latest", "earliest", "all"] | None = Field(
        None, description="which of the slots that nobody could start in time are made up for; latest if not given"
    )
    missed_window_hours: Annotated[float, Field(gt=0, le=24 * 366)] | None = Field(
        None, description="... if they are not older than this; 24 if not given"
    )
    missed_max: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="... and at most so many; 10 if not given"
    )
    missed_spread_seconds: ZeroSeconds | None = Field(None, description="... so far apart; 10 if not given")
    grace_seconds: Seconds | None = Field(
        None, description="so late is still in time; 10 % of the period, at least 60 and at most 300, if not given"
    )
    overlap: Literal["skip", "queueOne", "queueAll", "cancelOther", "killOther", "allow"] | None = Field(
        None, description="the run before is still going: what the next one does; skip if not given"
    )
    overlap_max: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="of `allow`: runs at a time, of `queueAll`: runs that wait; 10 if not given"
    )
    group: Label | None = Field(None, description="one of `groups`: so many of them run at a time")
    retry: RetryKeys | None = Field(None, description="when a failed step is tried again; a number alone is `times`")
    timeout_minutes: Minutes | None = Field(None, description="time limit of a run; none if not given")
    step_timeout_minutes: Minutes | None = Field(None, description="time limit of each step; none if not given")
    stop_grace_seconds: Seconds | None = Field(None, description="from SIGTERM to SIGKILL; 10 if not given")
    check: Label | None = Field(None, description="one of `checks`: it must be well before a run")
    ledger: Literal["best", "required"] | None = Field(
        None, description="`required`: no run while the history can't be written; best if not given"
    )
    interrupted: Literal["skip", "rerun"] | None = Field(
        None,
        description="a run that a stop or a crash of sbctl has cut off: leave it, or run it again; skip if not given",
    )
    output_max_mb: Annotated[float, Field(gt=0, le=100_000)] | None = Field(
        None, description="MiB of a run's output that are kept, head and tail; 10 if not given"
    )

    @model_validator(mode="after")
    def _has_one_jitter(self) -> Self:
        return _one_of(self, ("jitter_minutes", "jitter_seconds"))


class Defaults(How):
    """For all schedules that say nothing else."""

    tenant: Label | None = Field(None, description="a label to filter by")


class ScheduleKeys(How, When, What):
    """Everything that can be said of one schedule."""

    safety: Safety | None = Field(None, description="when its work is not passed on, and when it is held")


K = TypeVar("K", bound=Shape)


def _one_of(keys: K, names: tuple[str, ...]) -> K:
    found = [to_camel(name) for name in names if name in keys.model_fields_set]
    if len(found) > 1:
        raise wrong(f"there are both {found[0]} and {found[1]}", "keep one of the two")
    return keys
