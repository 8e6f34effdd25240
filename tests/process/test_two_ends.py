"""Two schedules end in one moment: who follows both runs for each, as real processes."""

from __future__ import annotations

from support.scheduling import NOTES_ITS_SLOT, Scheduling


def test_who_follows_two_runs_for_each_end(scheduling: Scheduling) -> None:
    desk = scheduling
    for name in ("x", "y"):
        desk.job(name, "true")
    desk.job("b", NOTES_ITS_SLOT, afterSchedule=["x", "y"], overlap="queueAll")
    desk.start()
    for _ in range(3):
        for run in [desk.run("x"), desk.run("y")]:
            desk.ended(run)
    desk.first("b", 6)

    slots = desk.slots("b")
    assert [slot["outcome"] for slot in slots] == ["run"] * 6
    started = [line.split()[1] for line in (desk.home.path / "started").read_text().splitlines()]
    assert len(set(started)) == len(started) == 6, "each has a SB_NOMINAL_TIME of its own"
