"""Watched limits and kills for want of memory, with real memory; and a program that somebody else has started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.cgroup import joining, limited_memory
from support.children import child
from support.daemon import Daemon
from support.waiting import eventually

MIB = 1 << 20


def launch(daemon: Daemon, *, through: tuple[str, ...] = (), **changes: dict[str, Any]) -> None:
    """Start it with these fields of its services changed: {"web": {"limits": {...}, "policy": {...}}}."""
    assert daemon.compile()["ok"]
    path = Path(daemon.model.compiled_file("scheduler"))
    compiled = json.loads(path.read_text())
    for service in compiled["services"]:
        for part, values in changes.get(service["name"], {}).items():
            service[part].update(values)
    path.write_text(json.dumps(compiled))
    daemon.launch(through=through)
    daemon.settle()


def test_a_kill_for_want_of_memory_is_named(daemon: Daemon) -> None:
    daemon.home.add_plugin("hog", child("hog", 400), restart="never")
    with limited_memory(160) as folder:
        launch(daemon, through=tuple(joining(folder)))

        row = daemon.in_phase("hog", "failed", 20.0)

        assert row["cause"] == "out of memory: killed by SIGKILL"
        daemon.end()


def test_memory_is_that_of_the_whole_tree_and_shared_pages_count_once(daemon: Daemon) -> None:
    daemon.home.add_plugin("hog", child("hog", 150))
    daemon.home.add_plugin("tree", child("tree", 48))
    limit = {"limits": {"memory": 100 * MIB, "memory_for": 1.0}}
    launch(daemon, hog=limit, tree=limit)

    eventually(lambda: daemon.row("hog")["restarts"], 20.0)

    event = daemon.events("hog", "service.over_limit")[0]
    assert event["text"].endswith("its limit is 100 MiB")
    assert 150 * MIB < event["data"]["memory_bytes"] < 200 * MIB
    assert daemon.events("hog", "service.exited")[0]["data"]["cause"]["kind"] == "over-limit"
    rows = daemon.rows()
    assert (rows["tree"]["state"], rows["tree"]["restarts"], rows["tree"]["processes"]) == ("running", 0, 3)
    assert rows["tree"]["memory_bytes"] > 3 * 48 * MIB
    assert rows["scheduler"]["memory_bytes"] > MIB
    assert rows["scheduler"]["cpu_percent"] is not None


@pytest.fixture
def by_hand(daemon: Daemon) -> Iterator[subprocess.Popen[bytes]]:
    """The server of the plugin `web`, started by a person."""
    folder = daemon.home.add_plugin("web", child("ready"))
    process = subprocess.Popen(child("ready"), cwd=folder, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_what_runs_already_is_not_started_twice(daemon: Daemon, by_hand: subprocess.Popen[bytes]) -> None:
    """Nor by the next scheduler; and ours takes over when that one ends."""
    launch(daemon, web={"policy": {"look_outside": True}})
    row = daemon.in_phase("web", "external")
    assert (row["desired"], row["pid"]) == ("up", by_hand.pid)
    first = daemon.pid("scheduler")
    daemon.kill_scheduler()
    eventually(lambda: daemon.pid("scheduler") != first)
    assert daemon.in_phase("web", "external")["pid"] == by_hand.pid

    os.kill(by_hand.pid, signal.SIGTERM)
    by_hand.wait(10)

    row = daemon.in_phase("web", "running")
    assert row["pid"] != by_hand.pid
    assert daemon.marked().keys() >= {"web.1"}
