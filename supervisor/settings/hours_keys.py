"""The keys that say in which hours schedules run, and on which days they don't."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from supervisor.core.calendar import parse_wall
from supervisor.settings.shape import Shape, wrong
from supervisor.settings.time_keys import Dates, Hour, LocalMoment, Weekdays, end_wall


class Window(Shape):
    """Hours of the day; `end` before `start` crosses midnight."""

    start: Hour = Field(description="the first hour: 7, 7.5 or `07:30`")
    end: Hour = Field(description="the hour at which it ends")
    weekdays: Weekdays | None = Field(
        None, description="on which days it begins: `mon` to `sun`, or ranges like `mon-fri`; every day if not given"
    )


def _windows(value: Any) -> Any:
    if value is False:
        return []
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise wrong("must be a map, a list of maps, or false", 'write {"start": 7, "end": 23}')
    return value


Windows = Annotated[
    list[Window],
    BeforeValidator(_windows, json_schema_input_type=Window | list[Window]),
    Field(max_length=100),
]


class Rule(Shape):
    """A part of a blackout: whole days, a stretch of time, or hours of some weekdays."""

    dates: Dates | None = Field(None, description="whole days, like `2026-12-24`")
    from_: LocalMoment | None = Field(None, alias="from", description="where a stretch begins: a local time or a date")
    to: LocalMoment | None = Field(None, description="where it ends; a date belongs to it")
    weekdays: Weekdays | None = Field(None, description="`mon` to `sun`, or ranges like `sat-sun`")
    start: Hour | None = Field(None, description="from this hour of those days on; of every day without `weekdays`")
    end: Hour | None = Field(None, description="up to this hour; before `start` it is one of the next day")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        stretch = self.from_ is not None or self.to is not None
        hours = self.weekdays is not None or self.start is not None or self.end is not None
        if (self.dates is not None) + stretch + hours != 1:
            raise wrong(
                "must be one of: dates; from and to; weekdays, with or without start and end", "write a rule for each"
            )
        if stretch and (self.from_ is None or self.to is None):
            raise wrong(f"there is no {'from' if self.from_ is None else 'to'}", "give both from and to")
        if self.from_ is not None and self.to is not None:
            length = end_wall(self.to) - parse_wall(self.from_)
            if length <= 0:
                how = "comes before" if length else "is the same time as"
                raise wrong(f"to {how} from, so it would never hold", "correct one of the two")
        if hours and (self.start is None) != (self.end is None):
            raise wrong(
                f"there is no {'start' if self.start is None else 'end'}", "give both start and end, or neither"
            )
        return self


def _rule(value: Any) -> Any:
    if isinstance(value, str):
        return {"dates": [value]}
    if not isinstance(value, dict):
        raise wrong("must be a date or a map", 'write "2026-12-24", or {"from": "2026-12-24T18:00", "to": ...}')
    return value


CalendarRule = Annotated[Rule, BeforeValidator(_rule, json_schema_input_type=str | Rule)]
Calendar = Annotated[list[CalendarRule], Field(min_length=1, max_length=5000)]
