"""Two plugins every 6 hours with up to 30 minutes of jitter, from 7 to 23: what the documents describe, for real."""

from __future__ import annotations

import re
import time

from support.scheduling import Scheduling, seconds, set_defaults
from support.waiting import eventually

COMMANDS = {"get": "echo got $SB_SCHEDULE", "process": "echo worked", "push": "echo pushed; echo warned >&2"}


def zone_of_noon() -> str:
    """Where it is noon now: the active hours are open wherever and whenever this test runs."""
    hours = (12 - time.gmtime().tm_hour + 11) % 24 - 11
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/UTC"


def example(desk: Scheduling) -> Scheduling:
    desk.home.settings["timezone"] = zone_of_noon()
    desk.home.scheduler["activeHours"] = {"start": 7, "end": 23}
    for name in ("twitter", "instagram"):
        desk.plugin(name, **COMMANDS)
    desk.task("twitter", "instagram", intervalHours=6, jitterMinutes=30)
    set_defaults(desk.home, missedSpreadSeconds=0.2)
    return desk.start()


def test_both_run_at_first_sight_one_after_the_other(scheduling: Scheduling) -> None:
    desk = example(scheduling)

    [first], [second] = desk.first("instagram"), desk.first("twitter")

    assert (first["state"], second["state"]) == ("succeeded", "succeeded")
    assert [slot["run"] for slot in desk.slots("twitter")] == [second["id"]]
    starts = sorted(seconds(row["started"]) for row in (first, second))
    assert starts[1] - starts[0] >= 0.15


def test_the_next_is_six_hours_and_a_jitter_later_and_said_so(scheduling: Scheduling) -> None:
    desk = example(scheduling)
    [run] = desk.first("twitter")

    row = eventually(lambda: desk.row("twitter") if desk.row("twitter")["total_runs"] else None)

    due, nominal = seconds(row["next_due"]), seconds(row["next_run"])
    assert nominal - seconds(run["nominal"]) == 6 * 3600
    assert 0 <= due - nominal <= 30 * 60
    [slot] = [slot for slot in desk.ask("next", count=4)["slots"] if slot["schedule"] == "twitter"][:1]
    assert (slot["due"], slot["would"]) == (row["next_due"], "run")


def test_the_daily_log_tells_the_whole_cycle(scheduling: Scheduling) -> None:
    desk = example(scheduling)
    desk.first("twitter")

    text = eventually(lambda: desk.daily() if "twitter: succeeded" in desk.daily() else None)

    told_of = text[text.index("twitter: cycle") :]
    wanted = (
        r"twitter: cycle 1 started: get, process, push \(run r\w+", "twitter: get started: ",
        r"twitter/get \| got twitter",
        r"twitter: get ended well after \d", r"twitter/push \| warned", r"twitter: succeeded in \d",
        r"    Stats: 1 successes, 0 failures", r"    Next cycle: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
        r"    Sleeping for [56]h \d+m",
    )  # fmt: skip
    place = 0
    for pattern in wanted:
        found = re.search(pattern, told_of[place:])
        assert found, (pattern, told_of)
        place += found.start()
