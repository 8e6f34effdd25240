"""The keys that say when to try again and when to give up, for the whole and for one service."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from supervisor.settings.check_keys import CoreAlive, CoreAliveKeys
from supervisor.settings.shape import Count, Seconds, Shape, ZeroSeconds

Delays = Annotated[list[Seconds], Field(min_length=1, max_length=50)]
Minutes = Annotated[float, Field(gt=0, le=60 * 24 * 31)]
ZeroMinutes = Annotated[float, Field(ge=0, le=60 * 24 * 31)]
Percent = Annotated[float, Field(ge=0, le=100)]


class Supervision(Shape):
    """The defaults for every service."""

    fast_crash_seconds: Seconds = Field(10.0, description="an exit sooner than this after the start is a fast crash")
    delays_seconds: Delays = Field(
        [5.0, 10.0, 20.0, 40.0],
        description="the wait after the 1st, 2nd, ... fast crash in a row; the last repeats",
    )
    jitter_percent: Percent = Field(0.0, description="each of these waits is longer by up to this share of it")
    give_up_after: Count = Field(5, description="this many fast crashes in a row, and the service is failed")
    retry_failed_minutes: ZeroMinutes = Field(0.0, description="... and tried once more after so long; 0: it is not")
    window_minutes: Minutes = Field(60.0, description="the window in which deaths of any age are counted")
    window_deaths: Count = Field(30, description="from this many deaths in the window on, restarts are slowed down")
    window_delay_seconds: Seconds = Field(300.0, description="... to one in this many seconds")
    grace_seconds: Seconds = Field(10.0, description="from the stop signal to SIGKILL")
    start_timeout_seconds: Seconds = Field(60.0, description="who has to be ready must be so within this time")
    max_starting: Annotated[int, Field(ge=0, le=1000)] = Field(
        0, description="so many servers may be on their way up at a time; 0: all"
    )
    settle_seconds: Seconds = Field(0.3, description="how long a start is watched before it counts as up")
    tick_seconds: Seconds = Field(60.0, description="the time between two tick events")
    reconcile_seconds: Seconds = Field(30.0, description="the time between two silent checks of what runs")


class ServicePolicy(Shape):
    """Exceptions from `supervision` for one service; what is not given stays as it is there."""

    fast_crash_seconds: Seconds | None = Field(None, description="as in supervision")
    delays_seconds: Delays | None = Field(None, description="as in supervision")
    jitter_percent: Percent | None = Field(None, description="as in supervision")
    give_up_after: Count | None = Field(None, description="as in supervision")
    retry_failed_minutes: ZeroMinutes | None = Field(None, description="as in supervision")
    window_minutes: Minutes | None = Field(None, description="as in supervision")
    window_deaths: Count | None = Field(None, description="as in supervision")
    window_delay_seconds: Seconds | None = Field(None, description="as in supervision")
    grace_seconds: Seconds | None = Field(None, description="as in supervision; a server's stop.graceSeconds beats it")
    start_timeout_seconds: Seconds | None = Field(None, description="as in supervision")
    critical: bool | None = Field(
        None,
        description="when it has failed, or has ended and is not started again, everything stops; false if not given",
    )


class ConfigPolicy(ServicePolicy):
    """The same for the config server."""

    alive: CoreAlive = Field(CoreAliveKeys(), description="whether it still answers; false: it is not asked")


class WatchedPolicy(ServicePolicy):
    """The same for a service that gives signs of life by itself."""

    watchdog_seconds: ZeroSeconds = Field(
        90.0,
        description="no sign of life for so long, and it is restarted; 0: never. At least 3 times "
        "supervision.reconcileSeconds, whatever is given",
    )
