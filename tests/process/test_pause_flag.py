"""`pause.flag` and pauses by name: nothing starts while they are there, each is told once, and `why` knows of it."""

from __future__ import annotations

import os
import time

from support.scheduling import NOTES_ITS_SLOT, Scheduling
from support.waiting import eventually

EVERY_SECOND = {"intervalSeconds": 1}


def told(desk: Scheduling, kind: str) -> int:
    return len(desk.events(kind))


def test_touch_holds_everything_within_a_second_and_rm_lets_it_go_on(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("twitter", NOTES_ITS_SLOT, **EVERY_SECOND)
    desk.start()
    desk.first("twitter")

    flag = desk.home.path / "pause.flag"
    flag.touch()
    eventually(lambda: told(desk, "schedules.paused") == 1, 1.0, "one event within a second")
    count = len(desk.started())
    row = desk.row("twitter")
    assert row["status"] == "paused"
    assert row["paused"]["by"] == "pause.flag"
    eventually(lambda: [slot for slot in desk.slots("twitter") if slot["reason"] == "paused"], 3)
    assert len(desk.started()) == count

    flag.unlink()
    eventually(lambda: told(desk, "schedules.resumed") == 1, 1.0)
    eventually(lambda: len(desk.started()) > count, 3, "it runs again")
    assert told(desk, "schedules.paused") == 1
    assert len(desk.events("slot.held")) == 1, "a stretch of paused slots is said once"
    assert len(desk.started()) == len({line.split()[1] for line in desk.started()})


def test_why_says_since_when_by_what_and_when_next(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("twitter", "true", intervalHours=6)
    desk.start()
    desk.first("twitter")
    (desk.home.path / "pause.flag").touch()
    eventually(lambda: told(desk, "schedules.paused") == 1)

    said = desk.home.sbctl("why", "twitter")

    first = said.out.splitlines()[0]
    assert said.code == 0
    assert first.startswith("twitter is paused since "), said
    assert " by pause.flag; next " in first
    assert first.endswith(" when resumed")


def test_a_flag_from_before_the_start_holds_from_the_first_moment(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("twitter", NOTES_ITS_SLOT, **EVERY_SECOND)
    (desk.home.path / "pause.flag").write_text("by: ann\nreason: moving house\n")
    desk.start()

    eventually(lambda: [slot for slot in desk.slots("twitter") if slot["reason"] == "paused"], 3)

    assert desk.started() == []
    assert "ann" in desk.row("twitter")["next_reason"]
    assert "moving house" in desk.row("twitter")["next_reason"]


def test_a_flag_of_any_shape_pauses_and_its_end_is_kept(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("twitter", NOTES_ITS_SLOT, intervalHours=6, runAtStart=False)
    desk.start()
    flag = desk.home.path / "pause.flag"

    for number, make in enumerate(
        (
            lambda: flag.write_bytes(b"\xff\xfe{{{"),
            lambda: os.mkfifo(flag),
            lambda: os.symlink("/nowhere", flag),
            flag.mkdir,
            lambda: flag.write_bytes(b"x" * 1_000_000),
        ),
        1,
    ):
        make()
        eventually(lambda n=number: told(desk, "schedules.paused") == n, 1)
        assert desk.row("twitter")["status"] == "paused"
        flag.rmdir() if flag.is_dir() else flag.unlink()
        eventually(lambda n=number: told(desk, "schedules.resumed") == n, 1)


def test_a_pause_with_an_end_is_over_by_itself(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("other", "true", intervalHours=6, runAtStart=False)
    desk.job("one", "true", intervalSeconds=1, runAtStart=False)
    desk.start()

    desk.ask("pause", names=[], by="ann", reason="tea", until=time.time() + 0.3)
    desk.ask("pause", names=["one"], by="bob", until=time.time() + 1.5, on_resume="once")
    assert desk.row("other")["status"] == "paused"

    eventually(lambda: desk.row("other")["status"] == "active", 2)
    eventually(lambda: [run for run in desk.runs("one") if run["trigger"] == "catch_up"], 5, "what was held has run")
    assert not (desk.home.path / "pause.flag").exists()


def test_a_pause_by_name_outlives_the_scheduler(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("one", NOTES_ITS_SLOT, **EVERY_SECOND, runAtStart=False)
    desk.job("two", "true", intervalHours=6, runAtStart=False)
    desk.start()
    assert desk.ask("pause", names=["one", "two"], by="ann", reason="broken")["accepted"] == ["one", "two"]
    count = len(desk.started())

    old = desk.daemon.pid("scheduler")
    desk.daemon.kill_scheduler()
    eventually(lambda: desk.home.pid("scheduler") not in (old, None))

    eventually(lambda: [slot for slot in desk.slots("one") if slot["reason"] == "paused"], 4)
    assert len(desk.started()) == count
    answer = desk.ask("resume", names=["one"], by="bob")
    assert answer["accepted"] == ["one"]
    eventually(lambda: len(desk.started()) > count, 3)
    assert desk.row("two")["paused"]["reason"] == "broken"


def test_by_hand_it_is_held_unless_it_is_forced(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("twitter", "true", intervalHours=6, runAtStart=False)
    desk.start()
    desk.ask("pause", names=[], by="ann")

    held = desk.ask("run", name="twitter")
    forced = desk.done("twitter", force=True)

    assert (held["run"], held["held"]["gate"]) == (None, "paused")
    assert (forced["state"], forced["forced"]) == ("succeeded", "paused")
