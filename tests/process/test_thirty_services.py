"""A whole home of services that need one another, killed at random with its scheduler: the order holds all the time."""

from __future__ import annotations

import os
import random
import time
from datetime import datetime
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.processes import alive, kill
from support.waiting import eventually

from supervisor.base.proc import start_time

GRACE_S = 2.0


def build(daemon: Daemon) -> dict[str, tuple[str, ...]]:
    """Thirty services; returns what each needs to be ready before its start."""
    daemon.home.settings["core"] = {
        "scheduler": {"giveUpAfter": 10_000, "delaysSeconds": [0.01], "fastCrashSeconds": 60, "windowDeaths": 10_000}
    }
    daemon.home.supervision.update(
        giveUpAfter=10_000, delaysSeconds=[0.05], windowDeaths=10_000, graceSeconds=GRACE_S, fastCrashSeconds=0.2
    )
    daemon.home.write()
    needs: dict[str, tuple[str, ...]] = {}

    def add(name: str, *required: str, instances: int = 0, restart: bool = False, **server: Any) -> None:
        requires = [{"name": other, "restart": restart} for other in required]
        ready = {"log": "ready"} if name.startswith("leaf") else {"notify": True}
        more = {**server, **({"instances": instances} if instances else {})}
        daemon.home.add_plugin(name, child("ready", 0.05), ready=ready, requires=requires, **more)
        names = [f"{name}:{number}" for number in range(1, instances + 1)] or [name]
        needs.update(dict.fromkeys(names, required))

    for chain in "abc":  # three chains of four
        add(f"{chain}-1")
        for number in (2, 3, 4):
            add(f"{chain}-{number}", f"{chain}-{number - 1}", restart=chain == "b")
    for name in ("migrate", "index"):  # two that do their work once, and a service for each
        daemon.home.add_plugin(name, child("crash_after", 0.1, 0), restart="on-failure")
        once = [{"name": name, "condition": "finished"}]
        daemon.home.add_plugin(f"{name}-user", child("ready", 0.05), ready={"notify": True}, requires=once)
        needs[f"{name}-user"] = (f"{name}!",)
    add("web", "a-4", "b-4", instances=4)
    add("proxy", "web:1", "web:2")
    add("late", after=["proxy"])
    for number in range(1, 9):
        add(f"leaf-{number}", "c-4" if number % 2 else "a-1")
    daemon.start(wait=False)
    assert len(needs) + 2 == 30
    return needs


def check_order(daemon: Daemon, needs: dict[str, tuple[str, ...]]) -> int:
    """Each start was decided while what it requires was known to be ready; returns how many starts that were."""
    starts: list[tuple[float, str]] = []
    stories: dict[str, list[tuple[float, bool]]] = {}  # of each service: from when on it was ready, or not
    count = 0
    for event in daemon.home.events():
        name, kind, at = event["service"], event["kind"], moment(event["at"])
        if kind == "service.ready":
            stories.setdefault(name, []).append((at, True))
        elif kind == "service.exited":
            stories.setdefault(name, []).append((at, False))
            if event["data"]["cause"]["kind"] == "clean":
                stories.setdefault(f"{name}!", []).append((at, True))
        elif kind == "service.started" and name in needs:
            count += 1
            if "asked_at" in event["data"]:  # else decided by a scheduler that was killed before it could tell
                starts.append((moment(event["data"]["asked_at"]), name))
    for asked, name in starts:
        for other in needs[name]:
            before = [up for at, up in stories[other] if at < asked]
            meanwhile = [up for at, up in stories[other] if at == asked]  # in this millisecond, before it or after
            assert True in (*before[-1:], *meanwhile), f"{name} was started without {other} at {asked}"
    assert len(starts) > count / 2
    return count


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def all_up(daemon: Daemon, needs: dict[str, tuple[str, ...]]) -> None:
    def fact() -> bool:
        rows = daemon.rows()
        missing = {name: rows[name]["detail"] for name in needs if rows[name]["state"] != "running"}
        assert not missing, missing
        return True

    eventually(fact, 30)


def each_runs_once(daemon: Daemon, needs: dict[str, tuple[str, ...]]) -> bool:
    names = sorted(name for name in (key.rpartition(".")[0] for key in daemon.marked()) if name in needs)
    return names == sorted(needs)


CHAIN_B = ("b-1", "b-2", "b-3", "b-4")


def restarted_along(daemon: Daemon, needs: dict[str, tuple[str, ...]]) -> None:
    """Chain b is restarted with what it requires: also when that dies while there is no scheduler."""

    def younger_than(before: list[int]) -> list[int]:
        all_up(daemon, needs)
        rows = daemon.rows()
        pids = [rows[name]["pid"] for name in CHAIN_B]
        began = [start_time(pid) for pid in pids]
        assert None not in began
        assert began == sorted(began), f"not in the order of the chain: {began}"  # type: ignore[type-var]
        assert not set(pids) & set(before), f"{before} have become {pids}"
        return pids

    pids = eventually(lambda: younger_than([]), 30)
    scheduler = daemon.pid("scheduler")
    assert kill(scheduler)
    assert kill(pids[0])
    eventually(lambda: younger_than(pids), 30)


def run(daemon: Daemon, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    needs = build(daemon)
    all_up(daemon, needs)
    assert check_order(daemon, needs) == len(needs)

    done = 0
    while done < kills:
        of_scheduler = chance.random() < 0.2
        pid = daemon.pid("scheduler") if of_scheduler else daemon.row(chance.choice(list(needs)))["pid"]
        done += pid is not None and kill(pid)  # one that is down, or gone meanwhile, can't be killed
        if chance.random() < 0.1:
            all_up(daemon, needs)

    restarted_along(daemon, needs)
    assert check_order(daemon, needs) > len(needs)
    eventually(lambda: each_runs_once(daemon, needs), 10)  # the last that was killed may still be shown as running
    all_up(daemon, needs)
    stop_in_reverse(daemon, needs)


def stop_in_reverse(daemon: Daemon, needs: dict[str, tuple[str, ...]]) -> None:
    pids = [row["pid"] for row in daemon.rows().values() if row["pid"]]
    before = len(daemon.home.events())
    began = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - began < 6 * GRACE_S
    gone: list[str] = [e["service"] for e in daemon.home.events()[before:] if e["kind"] == "service.exited"]
    for name, required in needs.items():
        for other in required:
            if not other.endswith("!"):
                assert gone.index(name) < gone.index(other), f"{other} went before {name}"
    assert not [pid for pid in pids if alive(pid)]


def test_thirty_services_keep_their_order_through_ten_kills(daemon: Daemon) -> None:
    run(daemon, 10, seed=int(os.environ.get("SEED", "7")))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_thirty_services_keep_their_order_through_two_hundred_kills(daemon: Daemon) -> None:
    seed = int(os.environ.get("SEED", str(random.randrange(10_000))))
    print(f"SEED={seed}")
    run(daemon, 200, seed)
