"""`start` becomes another program in place: nobody below it notices, whatever happens in that moment."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.home import ROOT
from support.numbers import check_numbers
from support.processes import alive, kill
from support.versions import STANDS
from support.waiting import eventually

from supervisor import __version__
from supervisor.base.errors import Problem
from supervisor.base.where import MAIN
from supervisor.base.wire import frame
from supervisor.control.client import Client, _checked, _decoded

ANSWERS_A_SIGNAL = ["/bin/sh", "-c", "trap 'exit 42' USR1; echo ready; while :; do sleep 0.02; done"]


def go_over(daemon: Daemon, main: str | Path = MAIN) -> dict[str, Any]:
    return daemon.ask("start", "upgrade", python=sys.executable, main=str(main))


def copy_of_the_package(folder: Path, version: str) -> Path:
    """Another version, complete; returns its `__main__.py`."""
    shutil.copytree(ROOT / "supervisor", folder / "supervisor", ignore=shutil.ignore_patterns("__pycache__"))
    init = folder / "supervisor" / "__init__.py"
    init.write_text(init.read_text().replace(f'"{__version__}"', f'"{version}"'))
    return folder / "supervisor" / "__main__.py"


def insert(path: Path, before: str, text: str) -> None:
    whole = path.read_text()
    assert whole.count(before) == 1
    path.write_text(whole.replace(before, text + before))


def ask_later(client: Client, verb: str, **args: Any) -> Callable[[], dict[str, Any]]:
    """Ask now; what comes back waits for the answer."""
    until = time.monotonic() + 20
    client._send(frame({"verb": verb, **args}), until)
    return lambda: _checked(_decoded(client._receive(until), "start"))


def pids(daemon: Daemon, *names: str) -> list[int]:
    rows = daemon.rows()
    return [rows[name]["pid"] for name in names]


def in_start(daemon: Daemon, name: str, phase: str) -> dict[str, Any]:
    """The row of a core service, asked of `start` alone."""

    def look() -> dict[str, Any] | None:
        rows = {row["name"]: row for row in daemon.ask("start", "status")["rows"]}
        return rows[name] if rows[name]["state"] == phase else None

    return eventually(look, 10, f"{name} is {phase}")


def open_files(pid: int) -> list[str]:
    """What each descriptor is, without the number of its kind."""
    links = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            links.append(os.readlink(f"/proc/{pid}/fd/{name}").partition(":[")[0])
    return sorted(links)


def at_rest(pid: int) -> list[str]:
    """Its descriptors once the last client is gone: the channel and the door."""

    def look() -> list[str] | None:
        found = open_files(pid)
        return found if found.count("socket") == 2 else None

    return eventually(look, 5, "nobody is connected")


def test_twenty_times_with_writers_at_full_speed_and_nothing_is_lost(daemon: Daemon) -> None:
    daemon.home.settings["logs"] = {"maxMb": 4, "keep": 3, "gzip": False}  # what is packed is not counted
    daemon.home.write()
    for name, words in {"fast": (0, 10_000), "full": (0, 0)}.items():
        daemon.home.add_plugin(name, child("spew", *words))
    daemon.start()
    start = daemon.pid("start")
    before = pids(daemon, "fast", "full", "scheduler")

    for _ in range(20):
        assert go_over(daemon)["pid"] == start

    assert pids(daemon, "fast", "full", "scheduler") == before
    assert daemon.pid("start") == start
    assert daemon.row("scheduler")["uptime_s"] > 0.5
    told = [event for event in daemon.home.events() if event["kind"] == "start.upgraded"]
    assert len(told) == 20
    assert daemon.stop() == 0
    check_numbers(daemon.home, "fast", from_zero=False, at_least=1000)
    check_numbers(daemon.home, "full", from_zero=False, at_least=10_000)
    assert "Traceback" not in daemon.output()


@pytest.mark.slow
def test_twenty_times_and_no_descriptor_is_left_open(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    start = daemon.pid("start")
    health = daemon.ask("start", "health")
    go_over(daemon)
    files = at_rest(start)

    for _ in range(20):
        go_over(daemon)

    assert at_rest(start) == files
    for field in ("parent_signals", "versions", "counters", "subreaper", "open_files_limit", "pid"):
        assert daemon.ask("start", "health")[field] == health[field], field


def test_while_no_scheduler_is_there_start_reads_on(daemon: Daemon) -> None:
    daemon.home.settings["core"] = {"scheduler": {"giveUpAfter": 9, "delaysSeconds": [30], "fastCrashSeconds": 60}}
    daemon.home.write()
    daemon.home.add_plugin("writer", child("spew", 0, 10_000))
    daemon.home.add_plugin("server", ANSWERS_A_SIGNAL)
    daemon.start()
    writer, server = pids(daemon, "writer", "server")
    eventually(lambda: "ready" in daemon.home.log("server"))
    daemon.kill_scheduler()
    before = in_start(daemon, "scheduler", "backoff")

    for _ in range(3):
        go_over(daemon)

    size = len(daemon.home.log("writer"))
    eventually(lambda: len(daemon.home.log("writer")) > size + 2000)
    after = in_start(daemon, "scheduler", "backoff")
    for field in ("pid", "restarts", "exit", "cause", "desired"):
        assert after[field] == before[field], field
    assert after["next_retry_at"][:18] == before["next_retry_at"][:18]
    kill(server, signal.SIGUSR1)
    eventually(lambda: not alive(server))
    daemon.ask("start", "start", names=["scheduler"])
    [exited] = eventually(lambda: daemon.events("server", "service.exited"))
    assert exited["data"]["cause"]["code"] == 42
    assert daemon.row("writer")["pid"] == writer
    assert daemon.stop() == 0
    check_numbers(daemon.home, "writer", from_zero=False, at_least=1000)


def test_another_version_tells_itself_as_such(daemon: Daemon, tmp_path: Path) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    start, began = daemon.pid("start"), daemon.ask("start", "status")["summary"]["started"]
    [server] = pids(daemon, "server")

    answer = go_over(daemon, copy_of_the_package(tmp_path / "new", "77.1"))

    assert (answer["from"], answer["version"]) == (__version__, "77.1")
    assert daemon.ask("start", "ping")["version"] == "77.1"
    assert daemon.ask("start", "status")["summary"]["started"] == began
    eventually(lambda: f"sbctl: start {daemon.home}" in Path(f"/proc/{start}/cmdline").read_text())
    [told] = eventually(lambda: [e for e in daemon.home.events() if e["kind"] == "start.upgraded"])
    assert told["data"] == {"from": __version__, "to": "77.1"}
    daemon.ask("start", "restart", names=["scheduler"])
    daemon.settle()
    assert daemon.ask("scheduler", "ping")["version"] == "77.1"
    assert pids(daemon, "server") == [server]


BROKEN = {
    "import": ("daemons/start.py", "from supervisor import __version__\n", "import nothing_of_this_name\n"),
    "taking up": ("daemons/taking_up.py", STANDS, "    raise ValueError('a defect')\n"),
    "leaves": ("daemons/taking_up.py", STANDS, "    return 3\n"),
    "format": ("daemons/taking_up.py", "    daemon = Start(", "    state['format'] = 99\n    READS[0] / 0\n"),
    "begins again": (
        "daemons/start.py",
        "        self.records.open()\n        self.shut",
        "        raise OSError\n",
    ),
    "hangs": ("daemons/taking_up.py", STANDS, "    while True: pass\n"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_new_code_that_fails_leads_back(daemon: Daemon, tmp_path: Path, how: str) -> None:
    daemon.home.add_plugin("writer", child("spew", 0, 10_000))
    daemon.start()
    main = copy_of_the_package(tmp_path / "new", "77.1")
    name, before, text = BROKEN[how]
    insert(main.parent / name, before, text)
    guard = main.parent / "daemons" / "guard.py"
    guard.write_text(guard.read_text().replace("LIMIT_S = 10", "LIMIT_S = 1"))
    start = daemon.pid("start")
    pid = pids(daemon, "writer")

    with pytest.raises(Problem, match="could not take over") as caught:
        go_over(daemon, main)

    assert caught.value.why
    assert daemon.ask("start", "ping")["version"] == __version__
    assert (daemon.pid("start"), pids(daemon, "writer")) == (start, pid)
    eventually(lambda: [e for e in daemon.home.events() if e["kind"] == "start.upgrade_failed"])
    assert go_over(daemon)["pid"] == start
    assert daemon.stop() == 0
    check_numbers(daemon.home, "writer", from_zero=False)


def test_what_can_not_be_called_changes_nothing(daemon: Daemon, tmp_path: Path) -> None:
    daemon.start()
    start = daemon.pid("start")
    files = at_rest(start)
    broken = tmp_path / "python"
    broken.write_text("no program\n")
    for python, main in ((tmp_path / "none", MAIN), (broken, MAIN), (sys.executable, tmp_path / "none.py")):
        with pytest.raises(Problem):
            daemon.ask("start", "upgrade", python=str(python), main=str(main))

    assert daemon.ask("start", "ping")["pid"] == start
    assert at_rest(start) == files
    os.kill(start, signal.SIGHUP)  # signals are heard
    eventually(lambda: "SIGHUP ignored" in (daemon.home.path / "logs" / "start.log").read_text())


@pytest.mark.parametrize("tries", [5, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_a_term_thrown_in_while_it_goes_over_ends_everything(daemon: Daemon, tries: int) -> None:
    """At any moment of it: before the exec, in the gap, or while the new code takes over."""
    daemon.home.add_plugin("server", child("ready"))
    for number in range(tries):
        daemon.start()
        assert daemon.process is not None
        server = pids(daemon, "server")[0]
        with daemon.client("start") as client:
            ask_later(client, "upgrade", python=sys.executable, main=MAIN)
            Event().wait(number % 50 * 0.002)
            daemon.process.send_signal(signal.SIGTERM)
            assert daemon.process.wait(10) == 0, number
        assert not alive(server)
        assert "Traceback" not in daemon.output()


def test_requests_that_come_meanwhile_wait(daemon: Daemon) -> None:
    """On connections that are open, and new ones are not refused."""
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    with daemon.client("start") as open_before, daemon.client("start") as asker:
        for _ in range(3):
            later = ask_later(asker, "upgrade", python=sys.executable, main=MAIN)
            asked = ask_later(open_before, "ping")
            for _ in range(20):
                assert daemon.ask("start", "ping")["ok"]
            assert later()["version"] == __version__
            assert asked()["version"] == __version__


def test_in_the_foreground_it_goes_on_printing(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"))
    assert daemon.compile()["ok"]
    daemon.launch("--foreground", "--output", "--log-format", "json")
    daemon.settle()
    start = daemon.pid("start")

    go_over(daemon)
    os.kill(start, signal.SIGHUP)
    daemon.ask("scheduler", "restart", names=["server"])

    out = daemon.home.path / "logs" / "start.out"
    eventually(lambda: '"kind":"start.upgraded"' in out.read_text())
    eventually(lambda: "SIGHUP ignored" in out.read_text())
    eventually(lambda: out.read_text().count('"kind":"output","service":"server","text":"ready"') == 2)
    assert daemon.stop() == 0


def test_children_that_are_made_afterwards_get_nothing_of_it(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    go_over(daemon)
    [old] = pids(daemon, "server")

    daemon.ask("scheduler", "restart", names=["server"])

    new = eventually(lambda: next((pid for pid in pids(daemon, "server") if pid not in (None, old)), None))
    eventually(lambda: "ready" in daemon.home.log("server").splitlines()[1:])
    assert sorted(os.listdir(f"/proc/{new}/fd")) == ["0", "1", "2"]
    blocked = next(line for line in Path(f"/proc/{new}/status").read_text().splitlines() if line.startswith("SigBlk"))
    assert int(blocked.split()[1], 16) == 0


def test_an_exit_in_that_moment_keeps_its_code(daemon: Daemon) -> None:
    daemon.home.supervision["fastCrashSeconds"] = 0.001
    daemon.home.write()
    names = [f"server{number}" for number in range(8)]
    for name in names:
        daemon.home.add_plugin(name, ANSWERS_A_SIGNAL)
    daemon.start()
    eventually(lambda: all("ready" in daemon.home.log(name) for name in names))
    before = pids(daemon, *names)
    with daemon.client("start") as client:
        later = ask_later(client, "upgrade", python=sys.executable, main=MAIN)
        for pid in before:
            os.kill(pid, signal.SIGUSR1)
        later()

    for name, old in zip(names, before, strict=True):
        [exited] = eventually(lambda name=name: daemon.events(name, "service.exited"))
        assert exited["data"]["cause"]["code"] == 42
        eventually(lambda name=name, old=old: daemon.row(name)["pid"] not in (None, old))
        assert daemon.row(name)["restarts"] == 1


def test_spawns_under_way_are_carried_out_once(daemon: Daemon) -> None:
    names = [f"server{number}" for number in range(20)]
    for name in names:
        daemon.home.add_plugin(name, child("ready"), autoStart=False)
    daemon.start()
    with daemon.client("start") as client, daemon.client("scheduler") as scheduler:
        later = ask_later(scheduler, "start", names=names)
        client.request("upgrade", python=sys.executable, main=MAIN)
        later()
    daemon.settle()

    rows = daemon.rows()
    assert {rows[name]["state"] for name in names} == {"running"}
    marked = daemon.marked()
    assert {key: len(found) for key, found in marked.items() if key.startswith("server")} == {
        f"{name}.1": 1 for name in names
    }


def test_one_that_left_its_group_is_still_known(daemon: Daemon) -> None:
    """The main process has been waited for; what is left of it is ended by the stop of its service."""
    daemon.home.add_plugin("escaper", child("escape"), restart="never")
    daemon.start()
    eventually(lambda: daemon.marked().get("escaper.1"))

    go_over(daemon)

    assert daemon.stop() == 0
    assert daemon.marked() == {}


def test_a_signal_while_it_ends_changes_no_exit_code(daemon: Daemon) -> None:
    daemon.start()
    go_over(daemon)
    process = daemon.process
    assert process is not None

    def has_ended() -> bool:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        return process.returncode is not None

    eventually(has_ended)
    assert process.returncode == 0
