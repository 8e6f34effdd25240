"""The keys that say when to try again and when to give up, for the whole and for one service."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from supervisor.settings.shape import Count, ExitCode, RestartWord, Seconds, Shape, SignalName

Delays = Annotated[list[Seconds], Field(min_length=1, max_length=50)]
Minutes = Annotated[float, Field(gt=0, le=60 * 24 * 31)]


class Supervision(Shape):
    """The defaults for every service."""

    fast_crash_seconds: Seconds = Field(10.0, description="an exit sooner than this after the start is a fast crash")
    delays_seconds: Delays = Field(
        [5.0, 10.0, 20.0, 40.0],
        description="the wait after the 1st, 2nd, ... fast crash in a row; the last repeats",
    )
    give_up_after: Count = Field(5, description="this many fast crashes in a row, and the service is failed")
    window_minutes: Minutes = Field(60.0, description="the window in which deaths of any age are counted")
    window_deaths: Count = Field(30, description="from this many deaths in the window on, restarts are slowed down")
    window_delay_seconds: Seconds = Field(300.0, description="... to one in this many seconds")
    grace_seconds: Seconds = Field(10.0, description="from the stop signal to SIGKILL")
    start_timeout_seconds: Seconds = Field(60.0, description="a core service must be ready within this time")
    settle_seconds: Seconds = Field(0.3, description="how long a start is watched before it counts as up")
    tick_seconds: Seconds = Field(60.0, description="the time between two tick events")
    reconcile_seconds: Seconds = Field(30.0, description="the time between two silent checks of what runs")


class ServicePolicy(Shape):
    """Exceptions from `supervision` for one service; what is not given stays as it is there."""

    fast_crash_seconds: Seconds | None = Field(None, description="as in supervision")
    delays_seconds: Delays | None = Field(None, description="as in supervision")
    give_up_after: Count | None = Field(None, description="as in supervision")
    window_minutes: Minutes | None = Field(None, description="as in supervision")
    window_deaths: Count | None = Field(None, description="as in supervision")
    window_delay_seconds: Seconds | None = Field(None, description="as in supervision")
    grace_seconds: Seconds | None = Field(None, description="as in supervision; a server's stop.graceSeconds beats it")


class CorePolicy(ServicePolicy):
    """The same for a core service, which also says when it is ready."""

    start_timeout_seconds: Seconds | None = Field(None, description="as in supervision")


class Stop(Shape):
    """How a server is asked to end."""

    signal: SignalName | None = Field(None, description="the signal, TERM if not given")
    grace_seconds: Seconds | None = Field(None, description="from that signal to SIGKILL")


class ServerPolicy(ServicePolicy):
    """The same for a plugin's server; in the manifest under `server` and in the scheduler file under `servers`."""

    auto_start: bool | None = Field(None, description="start it with sbctl; false if not given")
    restart: RestartWord | None = Field(None, description="which ends are answered by a new start; always if not given")
    exit_codes: list[ExitCode] | None = Field(None, description="exit codes that are no failure; [0] if not given")
    stop: Stop | None = Field(None, description="how it is asked to end")
