"""What else the machine did, from the lines of /proc/stat."""

from __future__ import annotations

import pytest

from benchmarks.conditions import Ticks, Watch

#            user nice system idle iowait irq softirq steal guest guest_nice
BEFORE = Ticks("cpu 100 0 100 700 50 0 0 50 0 0", own=10.0)


def test_time_that_the_host_took_is_part_of_the_whole() -> None:
    after = Ticks("cpu 100 0 100 770 50 0 0 80 0 0", own=10.0)

    assert after.since(BEFORE) == {"stolen_percent": 30.0, "others_percent": 0.0}


def test_others_are_what_is_busy_without_us() -> None:
    after = Ticks("cpu 140 0 120 740 50 0 0 50 0 0", own=30.0)

    assert after.since(BEFORE)["others_percent"] == 40.0


def test_waiting_for_a_disk_is_not_busy() -> None:
    after = Ticks("cpu 100 0 100 700 150 0 0 50 0 0", own=10.0)

    assert after.since(BEFORE)["others_percent"] == 0.0


def test_ours_may_seem_more_than_all_in_a_short_time() -> None:
    after = Ticks("cpu 101 0 100 701 50 0 0 50 0 0", own=15.0)

    assert after.since(BEFORE)["others_percent"] == 0.0


def test_guests_are_not_counted_twice() -> None:
    after = Ticks("cpu 200 0 100 700 50 0 0 50 100 0", own=60.0)

    assert after.since(BEFORE)["others_percent"] == 50.0


def test_this_machine_can_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.conditions.STARTS", 1)

    facts = Watch().facts()

    assert 0 < facts["bare_python_ms"] < 10_000
    assert 0 <= facts["others_percent"] <= 100
    assert set(facts) >= {"seconds", "load_before", "load_after", "stolen_percent"}
