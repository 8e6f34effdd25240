"""R20: a machine that has lost its time zones (no tzdata): what needs none runs on, all else says what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.home import Result, TemporaryHome
from support.scheduling import add_steps, add_task
from support.waiting import eventually

Environment = dict[str, str | None]


@pytest.fixture
def gone(tmp_path: Path) -> Environment:
    return {"PYTHONTZPATH": str(tmp_path / "none"), "TZ": None}


@pytest.fixture
def zoned(home: TemporaryHome) -> TemporaryHome:
    """Started once while the zones were there, so that its settings are known to be good; then stopped."""
    home.settings["config"]["enabled"] = False
    home.settings["timezone"] = "UTC"
    for name in ("utc", "berlin"):
        add_steps(home, name, get="echo got")
    add_task(home, "utc", cron="* * * * * *", seconds=True)
    add_task(home, "berlin", cron="0 2 * * *", timezone="Europe/Berlin")
    assert home.sbctl("start").code == 0
    assert home.sbctl("stop").code == 0
    return home


def says_what_is_missing(result: Result) -> None:
    told = result.out + result.err
    assert result.code not in (0, 1), result
    assert "Europe/Berlin" in told or "timezone" in told
    assert "no time zones at all (Debian's package tzdata)" in told
    assert "apt install tzdata" in told
    assert "itself failed" not in told
    assert "Traceback" not in told


# All that look at a schedule of that zone, or are given its name.
NEED_A_ZONE = [
    ("schedule", "test"),
    ("schedule", "test", "berlin"),
    ("next", "--tz", "Europe/Berlin"),
    ("explain", "0 2 * * *", "--tz", "Europe/Berlin"),
    ("config", "validate"),
    ("reload", "--dry-run"),
]


@pytest.mark.slow
def test_what_is_running_runs_on_by_utc(zoned: TemporaryHome, gone: Environment) -> None:
    assert zoned.sbctl("start", env=gone).code == 0

    def ran() -> bool:
        return "succeeded" in zoned.sbctl("runs", "utc", "--json", env=gone).out

    eventually(ran, 10, "the schedule that needs no zone has run")
    broken = [event for event in zoned.events() if event["kind"] == "schedule.broken"]
    assert [event["service"] for event in broken] == ["berlin"]
    assert "tzdata" in broken[0]["text"]
    assert zoned.sbctl("schedule", "test", "utc", "--days", "1", env=gone).code == 0
    for words in (*NEED_A_ZONE, ("why", "berlin"), ("pause", "berlin", "--for", "1h")):
        says_what_is_missing(zoned.sbctl(*words, env=gone))


def test_a_stopped_home_says_it_too(zoned: TemporaryHome, gone: Environment) -> None:
    for words in (*NEED_A_ZONE, ("schedule", "list"), ("next",), ("schedule", "show", "berlin")):
        says_what_is_missing(zoned.sbctl(*words, env=gone))


def test_settings_that_need_a_zone_are_not_started_without(home: TemporaryHome, gone: Environment) -> None:
    home.settings["timezone"] = "Europe/Berlin"
    home.write()

    says_what_is_missing(home.sbctl("start", env=gone))
