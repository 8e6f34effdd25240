"""Schedules that are seen for the first time are due at once, but not all of them in one moment."""

from __future__ import annotations

from itertools import pairwise

from support.scheduling import NOTES_ITS_SLOT, Scheduling, seconds
from support.waiting import eventually


def test_they_begin_one_after_the_other(scheduling: Scheduling) -> None:
    desk = scheduling
    names = ["a", "b", "c", "d"]
    for name in names:
        desk.job(name, "true", intervalHours=1, missedSpreadSeconds=0.2)
    desk.start()

    starts = sorted(seconds(desk.first(name)[0]["started"]) for name in names)

    gaps = [after - before for before, after in pairwise(starts)]
    assert min(gaps) > 0.15, gaps


def test_none_waits_so_long_that_its_next_slot_finds_it_waiting(scheduling: Scheduling) -> None:
    desk = scheduling
    names = ["a", "b", "c", "d", "e"]
    for name in names:
        desk.job(name, NOTES_ITS_SLOT, intervalSeconds=2)  # 10 s apart, if it went by that alone
    desk.start()

    for name in names:
        eventually(lambda name=name: len(desk.slots(name)) >= 2, 10)

    assert {slot["reason"] for name in names for slot in desk.slots(name)} == {None}


def test_one_that_wants_no_spread_does_not_wait_for_others(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("a-slow-one", "true", intervalHours=1)
    desk.job("b-slow-one", "true", intervalHours=1)
    desk.job("quick", "true", intervalHours=1, missedSpreadSeconds=0)
    desk.start()

    [row] = desk.first("quick", timeout=3)

    assert row["state"] == "succeeded"
    assert desk.row("b-slow-one")["queued"] == 1


def test_one_that_is_not_to_run_at_start_does_not(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("later", NOTES_ITS_SLOT, intervalSeconds=2, runAtStart=False)
    desk.job("at-once", NOTES_ITS_SLOT, intervalSeconds=2, missedSpreadSeconds=0)
    desk.start()

    desk.first("later")

    first = {name: seconds(desk.slots(name)[0]["nominal"]) for name in ("later", "at-once")}
    assert first["later"] - first["at-once"] == 2
