"""R01: a scheduler is away over slots of a time rule while a run ends that its schedule follows, too. None is lost."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from support.scheduling import Scheduling, seconds
from support.waiting import eventually

EVERY_S = 2
AWAY = {"delaysSeconds": [5], "fastCrashSeconds": 60, "giveUpAfter": 100}


@pytest.mark.slow
def test_each_slot_is_in_one_row(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.home.settings["core"] = {"scheduler": AWAY}
    desk.job("a", "sleep 2")
    desk.job("f", "true", cron=f"*/{EVERY_S} * * * * *", seconds=True, afterSchedule="a", graceSeconds=1,
             overlap="queueAll", missed="skip")  # fmt: skip
    desk.start()
    desk.first("f", 2)
    run = desk.run("a")
    desk.daemon.kill_scheduler()
    killed_at = time.time()
    desk.daemon.settle()
    desk.ended(run)
    eventually(lambda: any("after run" in (row["note"] or "") for row in desk.slots("f")), 10)
    back_at = time.time()
    eventually(lambda: seconds(desk.slots("f")[-1]["nominal"]) > back_at + EVERY_S, 10)

    assert back_at - killed_at > 2 * EVERY_S, "it was not away for long enough"
    rows = [
        (int(seconds(row["nominal"])), int(seconds(row["nominal_to"])), row["count"] or 0) for row in desk.slots("f")
    ]
    times = [row for row in rows if row[0] % EVERY_S == 0]
    assert sum(count for _, _, count in times) == (times[-1][1] - times[0][0]) // EVERY_S + 1, rows
    assert all(row[1] < later[0] for row, later in pairwise(rows)), rows
