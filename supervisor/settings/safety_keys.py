"""The keys that keep a run from doing harm: what its data must be, and how many failures are too many."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from supervisor.settings.shape import Shape

HOUR_S = 3600.0

# By level: the least quality, the least validation, failures in a row, hours of cool-down.
LEVELS = {"strict": (0.9, 0.9, 2, 24.0), "moderate": (0.7, 0.85, 3, 12.0), "permissive": (0.5, 0.7, 5, 1.0)}
MODERATE = "moderate"

Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=1e15)]


class Safety(Shape):
    """When a run's work is not passed on, and when a schedule is held."""

    level: Literal["strict", "moderate", "permissive"] | None = Field(
        None, description="fills in the next four that are not given; `moderate` if not given"
    )
    quality_threshold: Share | None = Field(
        None, description="the least `quality` a step may report after `process`; by level 0.9, 0.7, 0.5"
    )
    validation_threshold: Share | None = Field(
        None, description="the least `validation` it may report; by level 0.9, 0.85, 0.7"
    )
    max_consecutive_failures: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="so many failures in a row, and the schedule is held; by level 2, 3, 5"
    )
    failure_cooldown_hours: Annotated[float, Field(gt=0, le=24 * 366)] | None = Field(
        None, description="... for so long, then one run may try; by level 24, 12, 1"
    )
    min_data_threshold: Amount | None = Field(None, description="the least `data` that `get` must report")
    max_data_threshold: Amount | None = Field(None, description="the most `data` that it may report")
    rollback_on_degradation: bool | None = Field(
        None, description="worse than what was accepted last is refused too; true if not given"
    )
    max_memory_usage_mb: Annotated[float, Field(gt=0, le=1e9)] | None = Field(
        None, description="no run starts while more MiB of the machine's memory are in use"
    )
    max_cpu_usage_percent: Annotated[float, Field(gt=0, le=100)] | None = Field(
        None, description="no run starts while the processors are busier than this"
    )
    max_run_minutes: Annotated[float, Field(gt=0, le=60 * 24 * 31)] | None = Field(
        None, description="a run's time limit, if `timeoutMinutes` is not given"
    )


def resolved(keys: Safety) -> dict[str, Any]:
    """As `core/quality.py` and the gates take it."""
    level = keys.level or MODERATE
    quality, validation, failures, hours = LEVELS[level]
    cooldown = hours if keys.failure_cooldown_hours is None else keys.failure_cooldown_hours
    return {
        "level": level,
        "min_data": keys.min_data_threshold,
        "max_data": keys.max_data_threshold,
        "quality": quality if keys.quality_threshold is None else keys.quality_threshold,
        "validation": validation if keys.validation_threshold is None else keys.validation_threshold,
        "rollback_on_degradation": keys.rollback_on_degradation is not False,
        "max_memory_mb": keys.max_memory_usage_mb,
        "max_cpu_percent": keys.max_cpu_usage_percent,
        "max_failures": keys.max_consecutive_failures or failures,
        "cooldown": cooldown * HOUR_S,
    }
