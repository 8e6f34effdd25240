"""R01, R13: the scheduler is killed at any moment of a run: no slot twice, none lost, no run that goes on for ever.

What runs has its end, its exit code and its whole output all the same. Whether a slot ran twice is not asked of the
history but of the job itself, which leaves a line each time.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from support.processes import kill
from support.scheduling import ENDED, NOTES_ITS_SLOT, Scheduling, seconds, set_defaults
from support.waiting import eventually

LINES = 'for i in 1 2 3 4 5; do echo "line $i"; sleep 0.0%s; done'
CODE = 7

PERIODS = {"quick": 1, "slow": 1, "queued": 1, "pipeline": 1, "retried": 2}


def test_quick(scheduling: Scheduling) -> None:
    play(scheduling, rounds=8, seed=random.randrange(10**6))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_three_hundred(scheduling: Scheduling) -> None:
    play(scheduling, rounds=300, seed=random.randrange(10**6))


def prepare(desk: Scheduling) -> None:
    many = {"giveUpAfter": 100_000, "delaysSeconds": [0.005], "fastCrashSeconds": 0.001, "windowDeaths": 100_000}
    desk.home.settings["core"] = {"scheduler": many}
    set_defaults(desk.home, missedSpreadSeconds=0)
    desk.home.scheduler["safety"] = {"maxConsecutiveFailures": 1_000_000}
    desk.job("quick", NOTES_ITS_SLOT, intervalSeconds=1)
    desk.job("slow", f"{NOTES_ITS_SLOT}; {LINES % 9}; sleep 0.9; exit {CODE}", intervalSeconds=1)
    desk.job("queued", f"{NOTES_ITS_SLOT}; {LINES % 5}; sleep 0.5", intervalSeconds=1, overlap="queueOne")
    steps = dict.fromkeys(("process", "push"), f"{LINES % 1}; echo $SB_STEP >>steps")
    desk.plugin("pipeline", get=f"{NOTES_ITS_SLOT}; {LINES % 1}", **steps)
    desk.task("pipeline", intervalSeconds=1, overlap="allow")
    desk.job("follows", NOTES_ITS_SLOT, afterSchedule="quick", overlap="allow")
    tries = f'{LINES % 1}; test "$SB_ATTEMPT" -ge 2 || exit 75'
    desk.job("retried", tries, intervalSeconds=2, retry={"times": 2, "delaySeconds": 0.05})


def play(desk: Scheduling, *, rounds: int, seed: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    prepare(desk)
    desk.start()
    for _ in range(rounds):
        old = desk.daemon.pid("scheduler")
        kill_somewhen(chance, old)
        eventually(lambda old=old: desk.home.pid("scheduler") not in (old, None), 10)
    desk.daemon.settle()
    # However short the rounds were: few runs would prove little.
    eventually(lambda: min(Counter(run["schedule"] for run in desk.runs())[name] for name in PERIODS) > 2, 20)
    desk.ask("pause", names=[])
    eventually(lambda: not any(row["state"] not in ENDED for row in desk.runs()), 20, "every run has ended")
    rows = {row["id"]: row for row in desk.ask("schedules")["schedules"]}
    check(desk, rows)
    assert desk.daemon.stop() == 0
    assert desk.home.pids() == []
    assert "Traceback" not in (desk.home.path / "logs" / "scheduler.out").read_text()


def kill_somewhen(chance: random.Random, pid: int) -> None:
    """At once, at random, or just after a second has begun, when slots are claimed."""
    kind = chance.randrange(4)
    wait = 0.0 if kind == 0 else chance.uniform(0, 0.3)
    if kind > 1:
        wait = 1 - time.time() % 1 + chance.uniform(0, 0.03)
    killer = threading.Timer(wait, kill, [pid])
    killer.start()
    killer.join()


def check(desk: Scheduling, rows: dict[str, dict[str, Any]]) -> None:
    twice = [line for line, count in Counter(started_slots(desk)).items() if count > 1]
    assert twice == [], "a slot ran twice"
    runs = {row["id"]: row for row in desk.runs()}
    for name, period in PERIODS.items():
        check_slots(desk, name, period, runs)
        mine = [run for run in runs.values() if run["schedule"] == name]
        for run in mine:
            check_run(desk, run)
        assert rows[name]["total_runs"] == len(mine), "each run is counted once"
    check_followers(desk, runs)
    for line in desk.started():
        schedule, _, run = line.split()
        assert runs[run]["schedule"] == schedule
    check_events(desk, runs)


def started_slots(desk: Scheduling) -> list[str]:
    return [line.rpartition(" ")[0] for line in desk.started() if line.split(" ")[1]]


def check_slots(desk: Scheduling, name: str, period: int, runs: dict[str, Any]) -> None:
    """Row after row without a gap and without an overlap; a claimed one has its run."""
    slots = desk.slots(name)
    for before, after in pairwise(slots):
        assert seconds(after["nominal"]) == seconds(before["nominal_to"]) + period, (name, before, after)
    for slot in slots:
        if slot["outcome"] == "skipped":
            assert slot["reason"], slot
        else:
            assert runs[slot["run"]]["schedule"] == name, slot


def check_followers(desk: Scheduling, runs: dict[str, Any]) -> None:
    """One for each end of the other, by the second of that."""
    ends = {int(seconds(run["ended"])) for run in runs.values() if run["schedule"] == "quick"}
    slots = [int(seconds(slot["nominal"])) for slot in desk.slots("follows")]
    assert sorted(ends) == slots


def check_run(desk: Scheduling, run: dict[str, Any]) -> None:
    name = run["schedule"]
    if name == "slow":
        assert (run["state"], run["exit_code"]) == ("failed", CODE), run
    else:
        assert (run["state"], run["exit_code"]) == ("succeeded", 0), run
    whole = desk.ended(run["id"])
    names = ["get", "process", "push"] if name == "pipeline" else ["get"] * (2 if name == "retried" else 1)
    assert [step["name"] for step in whole["steps"]] == names, whole
    assert all(step["ended"] and step["state"] != "running" for step in whole["steps"]), whole
    times = {"quick": 0, "slow": 1, "queued": 1, "pipeline": 3, "retried": 2}[name]
    said = [line for line in desk.log(run).splitlines() if line.startswith("line ")]
    assert said == [f"line {number}" for number in range(1, 6)] * times, (run, said)


def check_events(desk: Scheduling, runs: dict[str, Any]) -> None:
    ends: Counter[str] = Counter()
    for event in desk.home.events():
        kind = event["kind"]
        if kind.startswith("run.") and kind.removeprefix("run.") in ENDED:
            ends[event["data"]["run"]] += 1
    doubled = {run: count for run, count in ends.items() if count > 1}
    assert doubled == {}, "an end is told once"
    assert set(runs) <= set(ends), "each end is told"
