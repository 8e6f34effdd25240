"""What makes slots: each kind of trigger, from the row that the compiled settings have of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from supervisor.base.zones import UnknownZone, zone
from supervisor.core.cron import CronError
from supervisor.core.trigger import Trigger, TriggerError, build

ANCHOR = 1_000_000_007
AFTER_NOTHING = [
    {"kind": "after", "schedule": "twitter", "when": "failed", "delay": 90.0},
    {"kind": "interval", "seconds": 600.0, "after_finish": True},
]


def made(data: dict[str, Any], *, name: str = "Europe/Berlin", dst: str = "vixie") -> Trigger:
    return build(data, zone=zone(name), zones=zone, key="plugin.one", anchor=ANCHOR, dst=dst)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp())


def slots(trigger: Trigger, after: int, count: int) -> list[int]:
    found = []
    for _ in range(count):
        fire = trigger.next(after)
        assert fire is not None
        after = fire.at
        found.append(after)
    return found


def test_an_interval_counts_from_its_anchor_which_is_the_first_slot() -> None:
    trigger = made({"kind": "interval", "seconds": 21_600.0, "after_finish": False})

    assert slots(trigger, 0, 2) == [ANCHOR, ANCHOR + 21_600]
    assert slots(trigger, ANCHOR, 1) == [ANCHOR + 21_600]
    assert slots(trigger, ANCHOR + 21_600 * 10**6 + 1, 1) == [ANCHOR + 21_600 * (10**6 + 1)]
    assert trigger.prev(ANCHOR) is None
    before = trigger.prev(ANCHOR + 21_600)
    assert before is not None
    assert before.at == ANCHOR
    assert (trigger.period, trigger.describe()) == (21_600.0, "every 6 h")


@pytest.mark.parametrize("seconds", [1.0, 1.5, 2.7, 59.999, 86_400 / 7, 1e9])
def test_a_broken_interval_neither_drifts_nor_stands_still(seconds: float) -> None:
    trigger = made({"kind": "interval", "seconds": seconds})
    expected = [ANCHOR, *(int(ANCHOR + number * seconds + 0.5) for number in range(1, 200))]

    assert slots(trigger, ANCHOR - 1, 200) == expected
    for index in (1, 7, 150):
        before = trigger.prev(expected[index])
        assert before is not None
        assert before.at == expected[index - 1]


def test_an_interval_below_a_second_is_refused() -> None:
    with pytest.raises(TriggerError, match="one second"):
        made({"kind": "interval", "seconds": 0.5})


def test_times_of_the_day_on_some_weekdays() -> None:
    trigger = made({"kind": "at", "times": [45_000, 28_800], "weekdays": [0, 4]})

    assert slots(trigger, at("2025-06-06T08:00+02:00"), 3) == [
        at("2025-06-06T12:30+02:00"),
        at("2025-06-09T08:00+02:00"),
        at("2025-06-09T12:30+02:00"),
    ]
    before = trigger.prev(at("2025-06-09T08:00+02:00"))
    assert before is not None
    assert before.at == at("2025-06-06T12:30+02:00")
    assert trigger.describe() == "at 08:00 and 12:30 on Monday and Friday"
    assert trigger.period == 16_200.0


def test_times_of_the_day_follow_the_rule_of_dst() -> None:
    daily = {"kind": "at", "times": [9000], "weekdays": None}
    moved, left_out = made(daily), made(daily, dst="skip")

    assert slots(moved, at("2025-03-29T12:00+01:00"), 2) == [
        at("2025-03-30T03:00+02:00"),
        at("2025-03-31T02:30+02:00"),
    ]
    assert slots(left_out, at("2025-03-29T12:00+01:00"), 1) == [at("2025-03-31T02:30+02:00")]
    assert slots(moved, at("2025-10-26T00:00+02:00"), 2) == [
        at("2025-10-26T02:30+02:00"),
        at("2025-10-27T02:30+01:00"),
    ]
    assert (moved.describe(), moved.period) == ("daily at 02:30", 86_400.0)


@pytest.mark.parametrize(
    "data",
    [
        {"times": []},
        {"times": [86_400]},
        {"times": [-1]},
        {"times": [0], "weekdays": []},
        {"times": [0], "weekdays": [7]},
    ],
)
def test_impossible_times_are_refused(data: dict[str, Any]) -> None:
    with pytest.raises(TriggerError):
        made({"kind": "at", **data})


def test_a_cron_line_takes_the_schedules_id_for_h_and_says_what_it_means() -> None:
    trigger = made({"kind": "cron", "expr": "H 2 * * *", "seconds": False})
    fire = trigger.next(at("2025-06-06T12:00+02:00"))

    assert fire is not None
    assert datetime.fromtimestamp(fire.wall, UTC).hour == 2
    assert fire.rule == trigger.describe()
    assert trigger.describe().startswith("at 02:")
    assert trigger.period == 86_400.0


def test_a_zone_of_its_own_beats_the_schedules_and_that_of_the_line_beats_both() -> None:
    expr = {"kind": "cron", "expr": "0 9 * * *"}
    start = at("2025-06-06T00:00+00:00")

    assert slots(made(expr), start, 1) == [at("2025-06-06T09:00+02:00")]
    assert slots(made({**expr, "zone": "Asia/Kathmandu"}), start, 1) == [at("2025-06-06T09:00+05:45")]
    prefixed = {"kind": "cron", "expr": "CRON_TZ=America/New_York 0 9 * * *", "zone": "Asia/Kathmandu"}
    assert slots(made(prefixed), start, 1) == [at("2025-06-06T09:00-04:00")]


def test_a_rule_of_dst_of_its_own_beats_the_schedules() -> None:
    trigger = made({"kind": "cron", "expr": "30 2 * * *", "dst": "skip"})

    assert slots(trigger, at("2025-03-29T12:00+01:00"), 1) == [at("2025-03-31T02:30+02:00")]


def test_once_is_once() -> None:
    trigger = made({"kind": "once", "at": 1_800_000_000})

    assert slots(trigger, 1_799_999_999, 1) == [1_800_000_000]
    assert trigger.next(1_800_000_000) is None
    assert trigger.prev(1_800_000_000) is None
    assert trigger.prev(1_800_000_001) is not None
    assert (trigger.period, trigger.describe()) == (0.0, "once at 2027-01-15 09:00")


@pytest.mark.parametrize("data", AFTER_NOTHING)
def test_what_depends_on_a_run_has_no_slots_of_its_own(data: dict[str, Any]) -> None:
    trigger = made(data)

    assert (trigger.next(0), trigger.prev(2**40)) == (None, None)
    assert trigger.describe() in ("90 s after twitter has failed", "10 min after the last run has ended")


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(CronError, match="minute"):
        made({"kind": "cron", "expr": "60 * * * *"})
    with pytest.raises(UnknownZone, match="Mars"):
        made({"kind": "cron", "expr": "CRON_TZ=Mars/Olympus * * * * *"})
    with pytest.raises(TriggerError, match="'sometimes'"):
        made({"kind": "at", "times": [0], "dst": "sometimes"})
    with pytest.raises(TriggerError, match="'moon'"):
        made({"kind": "moon"})
