"""R18 R19 R20: slots that nobody started in time, clocks that are changed twice a year, zones that are not there.

What cron lines mean around each change of the clock is proved minute by minute in unit/core/test_cron_reckoned.py.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.home import TemporaryHome
from support.scheduling import NOTES_ITS_SLOT, Scheduling, add_steps, add_task, seconds
from support.shifting import set_clock, start_shifted
from support.waiting import eventually

from supervisor.base import zones
from supervisor.core.cron import next_fire, parse, prev_fire

HOUR = 3600
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "America/Santiago",
    "Asia/Beirut", "Africa/Casablanca", "Pacific/Apia", "America/Sao_Paulo",
)  # fmt: skip

# R18: a scheduler that was down for five hours and a bit


@pytest.fixture
def desk(scheduling: Scheduling) -> Scheduling:
    scheduling.home.settings["timezone"] = "UTC"
    common: dict[str, Any] = {"cron": "0 * * * *", "missedSpreadSeconds": 0, "runAtStart": False, "overlap": "allow"}
    for policy in ("skip", "latest", "earliest", "all"):
        scheduling.job(f"by-{policy}", NOTES_ITS_SLOT, missed=policy, **common)
    scheduling.job("two", NOTES_ITS_SLOT, missed="all", missedMax=2, **common)
    scheduling.job("recent", NOTES_ITS_SLOT, missed="all", missedWindowHours=2.6, **common)
    scheduling.job("default", NOTES_ITS_SLOT, cron="0 * * * *", runAtStart=False)
    return scheduling


# Of the hours 1 to 5 that were missed, those that are made up for.
MADE_UP = {
    "by-skip": [], "by-latest": [5], "by-earliest": [1], "by-all": [1, 2, 3, 4, 5],
    "two": [4, 5], "recent": [3, 4, 5], "default": [5],
}  # fmt: skip


def test_what_was_missed_while_it_was_down_goes_by_the_policy_and_is_told(desk: Scheduling) -> None:
    # From half past an hour until half past the fifth one after it.
    first = time.time() // HOUR * HOUR
    set_clock(desk.home.path, first + HOUR / 2 - time.time())
    start_shifted(desk.daemon)
    eventually(lambda: desk.ask("schedules")["system"]["queued_writes"] == 0)
    assert desk.daemon.stop() == 0
    assert desk.started() == []
    set_clock(desk.home.path, first + 5.5 * HOUR - time.time())

    start_shifted(desk.daemon)

    for name, hours in MADE_UP.items():
        ran = eventually(lambda name=name, hours=hours: hours_of(desk, name, first, len(hours)), 10, name)
        assert ran == (hours,), name
        rows = eventually(lambda name=name: desk.slots(name), 5, f"what became of the slots of {name}")
        told = [row for row in rows if row["outcome"] == "skipped"]
        assert sum(row["count"] or 1 for row in told) == 5 - len(hours), rows
        assert {row["reason"] for row in told} <= {"missed", "window"}, rows
    assert "missed" in desk.home.sbctl("why", "by-skip").out
    desk.daemon.kill_scheduler()  # and nothing is made up for twice
    desk.daemon.settle()
    eventually(lambda: desk.ask("schedules")["system"]["queued_writes"] == 0)
    for name, hours in MADE_UP.items():
        assert hours_of(desk, name, first, len(hours)) == (hours,)


def hours_of(desk: Scheduling, name: str, first: float, count: int) -> tuple[list[int]] | None:
    """In a tuple, since no hour at all is an answer too."""
    mine = [int(words[1]) for line in desk.started() if (words := line.split(" "))[0] == name]
    return (sorted(round((each - first) / HOUR) for each in mine),) if len(mine) >= count else None


@pytest.mark.slow
def test_a_slot_that_comes_late_runs_late_and_says_so(scheduling: Scheduling) -> None:
    """The one before takes longer than the period: nothing is dropped without a row."""
    scheduling.job("slow", f"{NOTES_ITS_SLOT}; sleep 1.4", intervalSeconds=1, overlap="queueOne")
    scheduling.start()
    eventually(lambda: len(scheduling.started()) >= 3, 10)
    rows = scheduling.slots("slow")
    nominal = [(seconds(row["nominal"]), seconds(row["nominal_to"])) for row in rows]
    assert all(later[0] == earlier[1] + 1 for earlier, later in pairwise(nominal)), rows
    assert all(row["outcome"] != "skipped" or row["reason"] for row in rows)


# R19


@cache
def changes(name: str) -> list[int]:
    start, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2009, 2030))
    return [moment for moment, _, _ in zones.zone(name).transitions(start, end)]


def field(chance: random.Random, low: int, high: int) -> str:
    first, last = sorted((chance.randint(low, high), chance.randint(low, high)))
    return chance.choice(
        ["*", "*", str(first), f"{first}-{last}", f"*/{chance.randint(1, high - low)}", f"{first},{last}"]
    )


def lines(chance: random.Random) -> Iterator[str]:
    for _ in range(60):
        yield " ".join(field(chance, *bounds) for bounds in ((0, 59), (0, 23), (1, 28), (1, 12), (0, 6)))


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("seeds", [1, pytest.param(60, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_the_next_time_is_always_later_and_really_shows_what_it_says(name: str, seeds: int) -> None:
    """Whenever it is asked for, most of all around changes; judged by Python's own zones."""
    moments, its, zone = changes(name), ZoneInfo(name), zones.zone(name)
    assert moments
    for seed in range(seeds):
        chance = random.Random(f"{name} {seed}")
        for text in lines(chance):
            spec = parse(text)
            for dst in ("vixie", "literal", "skip"):
                at = chance.choice(moments) + chance.randint(-7200, 7200)
                later, earlier = next_fire(spec, zone, at, dst=dst), prev_fire(spec, zone, at, dst=dst)
                assert later is None or later.at > at, (text, dst, at)
                assert earlier is None or earlier.at < at, (text, dst, at)
                if later is not None and dst == "literal":
                    shown = datetime.fromtimestamp(later.at, its)
                    minute = text.split()[0]
                    assert not minute.isdigit() or shown.minute == int(minute), (text, at, shown)


# R20


ODD_ZONES = [pytest.param(zone, marks=pytest.mark.slow) for zone in ("../../etc/passwd", ":/etc/hostname", "\x1b[2J")]


@pytest.mark.parametrize("zone", ["Nowhere/None", *ODD_ZONES])
def test_a_tz_that_is_nothing_stops_nobody(home: TemporaryHome, zone: str) -> None:
    home.settings["config"]["enabled"] = False
    add_steps(home, "job", get="echo got")
    add_task(home, "job", cron="* * * * * *", seconds=True)
    env: dict[str, str | None] = {"TZ": zone}
    started = home.sbctl("start", env=env)
    assert started.code == 0, started
    eventually(lambda: "succeeded" in home.sbctl("runs", "job", "--json", env=env).out, 10, "it runs, by UTC")
    told = started.err + started.out + home.sbctl("status", env=env).out + home.sbctl("config", "validate", env=env).err
    assert "zone of this machine is not known" in told, told
    assert "\x1b[2J" not in told
    assert "Traceback" not in told
