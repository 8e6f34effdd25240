"""R01: the scheduler is killed again and again, over many servers and running steps. None of them notices.

All live on with their pids, uptimes, counters and streaks; what ends in a gap is known with its code, once; a running
step finishes and its run is recorded as what it was; of the output, also in a burst at full speed, no byte is missing.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from support.children import child
from support.daemon import Daemon
from support.killing import await_successor, without_budget
from support.numbers import check_numbers
from support.processes import kill
from support.scheduling import Scheduling
from support.waiting import eventually

BURST = 100_000  # lines of 100 bytes, as fast as the machine goes
GAP_S = 0.05  # for which there is no scheduler, beside the time that one takes to start


class Size(NamedTuple):
    kills: int
    servers: int
    steps: int
    loud: bool  # one more server, that writes at full speed all the time


def test_quick(scheduling: Scheduling) -> None:
    play(scheduling, Size(kills=4, servers=20, steps=5, loud=False))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_twenty_kills_over_a_hundred_servers_and_twenty_steps(scheduling: Scheduling) -> None:
    play(scheduling, Size(kills=20, servers=100, steps=20, loud=True))


def play(desk: Scheduling, size: Size) -> None:
    daemon = desk.daemon
    prepare(desk, size)
    desk.start()
    runs = begin_runs(desk, size)
    crash(daemon)
    before, asked_at = daemon.rows(), time.monotonic()
    assert len(before) == size.servers + 1
    streak = attempts(daemon, "crasher")
    for number in range(size.kills):
        one_kill(desk, number, size)

    check_rows(before, daemon.rows(), time.monotonic() - asked_at, size)
    assert attempts(daemon, "crasher") == streak
    check_exits(daemon, size)
    check_runs(desk, runs, size)
    check_adoptions(daemon, size)
    # The last burst must have been written before we stop: the writer is not to be cut in the middle.
    eventually(lambda: (b"%010d" % (size.kills * BURST - 1)) in tail(daemon, "burst"), 20, "the last burst is there")
    assert daemon.stop() == 0
    assert check_numbers(daemon.home, "burst") == size.kills * BURST
    check_numbers(daemon.home, "steady", at_least=2000)
    if size.loud:
        check_numbers(daemon.home, "loud", from_zero=False, at_least=10_000)
    assert "Traceback" not in (daemon.home.path / "logs" / "scheduler.out").read_text()
    assert daemon.home.pids() == []


# before


def prepare(desk: Scheduling, size: Size) -> None:
    home = desk.home
    home.supervision.update(giveUpAfter=9, delaysSeconds=[0.02, 600])
    home.settings["logs"] = {"maxMb": 16, "keep": 40, "gzip": False}
    without_budget(home, delay=GAP_S)
    home.add_plugin("burst", child("burst", BURST))
    home.add_plugin("steady", child("spew", 0, 10_000))
    home.add_plugin("restarted", child("ready"), fastCrashSeconds=0.01)
    home.add_plugin("crasher", child("crash_after", 0, 3))
    if size.loud:
        home.add_plugin("loud", child("spew", 0, 0))
    for number in range(size.kills):
        home.add_plugin(leaver(number), child("leave", code_of(number)), restart="never")
    rest = size.servers - 4 - size.loud - size.kills
    for number in range(rest):
        home.add_plugin(f"quiet{number}", ["/bin/sh", "-c", "exec sleep 600"])
    for number in range(size.steps):
        desk.job(step(number), child("leave", step_code(number)))


def leaver(number: int) -> str:
    return f"leaver{number}"


def code_of(number: int) -> int:
    return 10 + number


def step(number: int) -> str:
    return f"step{number}"


def step_code(number: int) -> int:
    """Every other one succeeds."""
    return 0 if number % 2 else 100 + number


def begin_runs(desk: Scheduling, size: Size) -> dict[str, str]:
    runs = {step(number): desk.run(step(number)) for number in range(size.steps)}
    eventually(lambda: len(steps(desk)) == size.steps, 10, "all steps run")
    eventually(lambda: all("ready" in log_of(desk, run) for run in runs.values()))
    return runs


def steps(desk: Scheduling) -> dict[str, int]:
    """The running ones: their pid by run."""
    return {key.split("/")[1]: pids[0] for key, pids in desk.daemon.marked().items() if key.startswith("run/")}


def log_of(desk: Scheduling, run: str) -> str:
    rows = {row["id"]: row for row in desk.runs()}
    assert run in rows
    return desk.log(rows[run])


def crash(daemon: Daemon) -> None:
    """One server has been restarted, and one has a streak and waits for long."""
    eventually(lambda: daemon.row("restarted")["uptime_s"] > 0.05)
    kill(daemon.row("restarted")["pid"])
    eventually(lambda: daemon.row("restarted")["restarts"] == 1 and daemon.in_phase("restarted", "running"))
    eventually(lambda: attempts(daemon, "crasher")["streak"] == 2)
    daemon.in_phase("crasher", "backoff")


def attempts(daemon: Daemon, name: str) -> dict[str, Any]:
    found: dict[str, Any] = daemon.ask("scheduler", "why", name=name)["attempts"]
    return found


# one kill


def one_kill(desk: Scheduling, number: int, size: Size) -> None:
    """In the midst of a burst; in the gap a server ends, and a step or more."""
    daemon = desk.daemon
    rows, running = daemon.rows(), steps(desk)
    runs = {row["schedule"]: row["id"] for row in desk.runs()}
    mine = [step(each) for each in range(number, size.steps, size.kills)]
    scheduler = daemon.pid("scheduler")
    killer = threading.Timer(random.uniform(0, 0.01), kill, [scheduler])
    kill(rows["burst"]["pid"], signal.SIGUSR1)
    killer.start()
    killer.join()
    kill(rows[leaver(number)]["pid"], signal.SIGUSR1)
    for name in mine:
        kill(running[runs[name]], signal.SIGUSR1)
    await_successor(daemon, scheduler)


def tail(daemon: Daemon, name: str) -> bytes:
    with open(daemon.home.path / "logs" / name / "server.log", "rb") as file:
        file.seek(max(0, file.seek(0, 2) - 300))
        return file.read()


# after


def check_rows(before: dict[str, Any], after: dict[str, Any], passed: float, size: Size) -> None:
    assert after["scheduler"]["restarts"] == size.kills
    left = {leaver(number) for number in range(size.kills)}
    for name in before.keys() - left - {"scheduler"}:
        for field in ("state", "desired", "pid", "restarts", "exit", "cause"):
            assert after[name][field] == before[name][field], (name, field)
        if before[name]["pid"]:
            assert after[name]["uptime_s"] - before[name]["uptime_s"] == pytest.approx(passed, abs=0.5), name
    assert (after["restarted"]["restarts"], after["restarted"]["state"]) == (1, "running")


def check_exits(daemon: Daemon, size: Size) -> None:
    for number in range(size.kills):
        row = daemon.in_phase(leaver(number), "failed")
        assert (row["exit"]["code"], row["exit"]["signal"]) == (code_of(number), None), row
    ends = Counter(e["data"]["key"] for e in daemon.home.events() if e["kind"] == "service.exited")
    assert [key for key, count in ends.items() if count != 1] == [], "each end is told once"
    assert all(ends[f"{leaver(number)}.1"] for number in range(size.kills))


def check_runs(desk: Scheduling, runs: dict[str, str], size: Size) -> None:
    for number in range(size.steps):
        code = step_code(number)
        row = desk.ended(runs[step(number)])
        assert (row["state"], row["exit_code"]) == ("failed" if code else "succeeded", code), row
        assert [each["state"] for each in row["steps"]] == [row["state"]]
        assert "ready" in desk.log(row)


def check_adoptions(daemon: Daemon, size: Size) -> None:
    """Each scheduler took over all that still ran, in its first act."""
    counts = [e["data"]["count"] for e in daemon.home.events() if e["kind"] == "scheduler.adopted"]
    assert len(counts) == size.kills
    assert all(one >= other for one, other in pairwise(counts)), counts
    assert counts[-1] == size.servers - size.kills - 1  # all but those that have left, and the one that waits
