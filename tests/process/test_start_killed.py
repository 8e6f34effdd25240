"""R01: `start` is killed, alone or with the scheduler: nothing outlives it for long, and the next one begins clean."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.killing import kill_both, kill_start
from support.processes import alive, kill
from support.waiting import eventually

from supervisor.base import proc


@pytest.fixture
def stranger() -> Iterator[int]:
    """A process of this user that is none of ours."""
    process = subprocess.Popen(child("ready"), stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout
    process.stdout.readline()
    yield process.pid
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_killed_start_takes_everything_with_it_within_the_grace(daemon: Daemon) -> None:
    daemon.home.supervision["graceSeconds"] = 1
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"))
    daemon.home.add_plugin("helper", child("grandchild"))
    daemon.home.add_plugin("deaf", child("ignore_term"))
    daemon.home.add_plugin("escaped", child("escape"))
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf") and "ready" in daemon.home.log("escaped"))

    kill_start(daemon)

    eventually(lambda: daemon.home.pids() == [], 1 + 1)
    assert "bye" in daemon.home.log("server")
    assert "ignored SIGTERM" in daemon.home.log("deaf")
    assert "start.lost" in [event["kind"] for event in daemon.home.events()]
    daemon.start()
    assert {row["state"] for row in daemon.rows().values()} == {"running"}
    assert daemon.stop() == 0


def test_a_start_killed_at_any_moment_of_starting_leaves_nothing(daemon: Daemon) -> None:
    for number in range(10):
        daemon.home.add_plugin(f"server{number}", child("ready"))
    daemon.home.supervision["graceSeconds"] = 0.5
    daemon.home.write()
    assert daemon.compile()["ok"]
    for moment in range(20, 260, 12):
        process = daemon.launch()
        killer = threading.Timer(moment / 1000, process.kill)
        killer.start()
        process.wait()
        killer.join()
        eventually(lambda: daemon.home.pids() == [], 4, f"all are gone after a kill at {moment} ms")


@pytest.mark.parametrize("first", ["start", "scheduler"])
def test_when_both_are_killed_the_next_start_ends_what_they_left(daemon: Daemon, first: str) -> None:
    daemon.home.supervision["graceSeconds"] = 0.5
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"))
    daemon.home.add_plugin("deaf", child("ignore_term"))
    daemon.home.add_plugin("helper", child("grandchild"))
    daemon.home.add_plugin("escaped", child("escape"))
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf") and "ready" in daemon.home.log("escaped"))
    left = [pid for key, pids in daemon.marked().items() if not key.startswith("scheduler") for pid in pids]
    assert len(left) == 6
    kill_both(daemon, first)
    # Those that listen for their parent's death are servers' own affair: ours carry no such signal.
    assert all(alive(pid) for pid in left)

    daemon.start()

    assert [pid for pid in left if alive(pid)] == []
    assert {row["state"] for row in daemon.rows().values()} == {"running"}
    generations = Counter(key.rpartition(".")[0] for key in daemon.marked())
    assert set(generations.values()) == {1}
    found = (daemon.home.path / "logs" / "start.log").read_text().count("leftover.found")
    assert found >= 4
    assert daemon.stop() == 0


def records_file(daemon: Daemon) -> Path:
    return daemon.home.path / "logs" / "run" / "records"


def test_bad_records_end_nobody(daemon: Daemon, stranger: int) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    left = daemon.row("server")["pid"]
    kill_both(daemon)
    started = proc.start_time(stranger)
    assert started is not None
    fd = os.pidfd_open(stranger)
    inode = proc.pidfd_inode(fd)
    os.close(fd)
    good = {"k": "server.9", "p": stranger, "s": started, "i": inode, "g": [9, 0]}
    bad: list[object] = [
        {**good, "s": started + 1},
        {**good, "s": started - 1},
        {**good, "i": inode + 1},
        {**good, "p": -stranger},
        {**good, "p": 1},
        {**good, "p": str(stranger)},
        {**good, "g": ["TERM", 0]},
        {"k": "server.9", "p": stranger},
        [stranger],
        None,
        {"x": "server.1x"},
    ]
    with open(records_file(daemon), "ab") as file:
        for line in bad:
            file.write(json.dumps(line).encode() + b"\n")
        file.write(b"\xff\xfe\x00garbage\n\n{}\n" + json.dumps(good).encode()[:-1])

    daemon.start()

    assert alive(stranger)
    assert not alive(left)
    assert daemon.row("server")["state"] == "running"


def test_records_of_another_boot_end_nobody_but_the_marker_proves(daemon: Daemon, stranger: int) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    left = daemon.row("server")["pid"]
    kill_both(daemon)
    record = {"k": "server.9", "p": stranger, "s": proc.start_time(stranger), "i": 0, "g": [9, 0]}
    lines = [{"boot": "00000000-0000-0000-0000-000000000000", "home": "x", "start": 1}, record]
    records_file(daemon).write_text("".join(json.dumps(line) + "\n" for line in lines))

    daemon.start()

    assert alive(stranger)
    assert not alive(left)


@pytest.mark.parametrize(
    ("head", "spared"),
    [({}, False), ({"space": "pid:[4026531836] 1"}, True), ({"space": None}, True)],
    ids=["ours", "another-namespace", "nothing-said"],
)
def test_records_count_only_in_the_pid_namespace_that_they_were_written_in(
    daemon: Daemon, stranger: int, head: dict[str, str | None], spared: bool
) -> None:
    """A container that was killed has left them on its volume; here the same pid may be anybody's."""
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    left = daemon.row("server")["pid"]
    kill_both(daemon)
    record = {"k": "server.9", "p": stranger, "s": proc.start_time(stranger), "i": 0, "g": [9, 0]}
    said = {**json.loads(records_file(daemon).read_text().splitlines()[0]), **head}
    lines = [{name: value for name, value in said.items() if value is not None}, record]
    records_file(daemon).write_text("".join(json.dumps(line) + "\n" for line in lines))

    daemon.start()

    assert alive(stranger) == spared
    assert not alive(left)


@pytest.mark.parametrize("content", ["{pid}\n", "{pid}", "-1\n", "0\n", "1\n", "many\n", "\0\0\0\n", "", "9" * 400])
def test_nobody_is_signalled_on_the_word_of_a_pid_file(daemon: Daemon, stranger: int, content: str) -> None:
    daemon.home.add_plugin("server", child("ready"))
    text = content.replace("{pid}", str(stranger))
    logs = daemon.home.path / "logs"
    (logs / "server").mkdir(parents=True)
    for path in (logs / "start.pid", logs / "scheduler.pid", logs / "server" / "server.pid"):
        path.write_text(text)
    daemon.start()
    pid = daemon.row("server")["pid"]
    assert (logs / "server" / "server.pid").read_text() == f"{pid}\n"
    (logs / "server" / "server.pid").write_text(text)

    daemon.ask("scheduler", "stop", names=["server"])
    daemon.in_phase("server", "stopped")
    assert daemon.stop() == 0

    assert not alive(pid)
    assert alive(stranger)


def test_whoever_waits_while_leftovers_end_is_told_what_is_in_the_way(daemon: Daemon) -> None:
    deaf = "trap '' TERM; echo ready; while :; do sleep 0.1; done"  # silent: its pipe has no reader for a while
    daemon.home.add_plugin("deaf", ["/bin/sh", "-c", deaf], stop={"graceSeconds": 6})
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf"))
    left = daemon.row("deaf")["pid"]
    kill(daemon.pid("scheduler"))
    kill(daemon.pid("start"))
    daemon.start(wait=False)
    eventually(lambda: daemon.home.pid("start") is not None and alive(daemon.pid("start")))

    answer = eventually(lambda: daemon.ask("start", "settle", names=None, timeout=0.2))

    assert not answer["settled"]
    assert f"deaf (pid {left})" in answer["rows"][0]["detail"]
    daemon.ask("start", "shutdown", timeout=1.2)
    eventually(lambda: not alive(left), 4)
