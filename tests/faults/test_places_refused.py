"""R41 R46 R48: folders that can't be written, ports that are taken, dependencies that never come.

Refused at once with the reason where nothing can be done; else all that can run runs, and says what it lacks.
"""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.home import Result, TemporaryHome
from support.processes import alive, kill
from support.scheduling import add_steps, add_task
from support.waiting import eventually

# R41: read-only


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Whoever opens something below it finds it so; what is open already is not touched."""
    folder.mkdir(exist_ok=True)
    made = subprocess.run(["mount", "--bind", folder, folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"mounting is not allowed here: {made.stderr.decode(errors='replace').strip()}")
    try:
        done = subprocess.run(["mount", "-o", "remount,bind,ro", folder], capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"a folder can't be made read-only here: {done.stderr.decode(errors='replace').strip()}")
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def laid(home: TemporaryHome) -> Iterator[TemporaryHome]:
    home.add_plugin("web", child("spew", 0, 50))
    add_steps(home, "job", get="echo got")
    add_task(home, "job", cron="* * * * * *", seconds=True)
    yield home
    home.end()


def is_plain(result: Result) -> str:
    told = result.out + result.err
    assert "Traceback" not in told, told
    assert "Errno" not in told, told
    return told


@pytest.mark.slow
@pytest.mark.root
def test_a_start_with_read_only_logs_is_refused(laid: TemporaryHome) -> None:
    with read_only(laid.path / "logs"):
        began = time.monotonic()
        told = is_plain(laid.sbctl("start"))
        assert time.monotonic() - began < 10
        assert re.search("read-only", told, re.IGNORECASE), told
        assert str(laid.path / "logs") in told, told
        assert laid.sbctl("status").code != 0
        assert laid.pids() == []
    assert laid.sbctl("start").code == 0


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("which", ["etc", "plugins"])
def test_read_only_settings_or_plugins_are_enough_to_run(laid: TemporaryHome, which: str) -> None:
    begin(laid)  # the first one makes a key for the config server
    assert laid.sbctl("stop").code == 0
    with read_only(laid.path / which):
        begin(laid)
        eventually(lambda: "succeeded" in laid.sbctl("runs", "job", "--json").out)
        assert laid.sbctl("reload").code == 0
        if which == "etc":
            refused = laid.sbctl("schedule", "edit", "job", "--cron", "0 3 * * *")
            assert refused.code != 0
            assert re.search("read-only", is_plain(refused), re.IGNORECASE), refused
        assert laid.sbctl("stop").code == 0
    assert laid.pids() == []


def begin(home: TemporaryHome) -> None:
    """On a busy machine a config server takes longer than a start waits."""
    is_plain(home.sbctl("start"))
    for name in ("web", "scheduler", "config"):
        eventually(lambda name=name: home.status(name)["services"][0]["state"] == "running", 30, f"{name} runs")


@pytest.mark.root
def test_a_config_server_that_can_keep_no_key_says_so(laid: TemporaryHome) -> None:
    """The only one who needs to write there; all else runs."""
    with read_only(laid.path / "etc"):
        started = laid.sbctl("start")
        assert started.code == 1
        rows = {row["name"]: row for row in laid.status()["services"]}
        assert (rows["web"]["state"], rows["scheduler"]["state"]) == ("running", "running")
        why = is_plain(laid.sbctl("why", "config"))
        assert re.search("read-only", why, re.IGNORECASE), why
        assert "etc/secrets" in why, why


@pytest.mark.slow
@pytest.mark.root
def test_logs_that_become_read_only_cost_nobody_his_life(daemon: Daemon) -> None:
    """Not even when the scheduler dies meanwhile. The next one has no place for a socket, so nobody can ask it yet; it
    takes over and supervises all the same."""
    home = daemon.home
    home.add_plugin("web", child("spew", 0, 200))
    home.add_plugin("quiet", child("ready"))
    daemon.start()
    before = {name: row["pid"] for name, row in daemon.rows().items()}
    with read_only(home.path / "logs"):
        kill(before["scheduler"])
        eventually(lambda: core_row(daemon)["pid"] not in (None, before["scheduler"]), 15, "another scheduler")
        is_plain(home.sbctl("status"))
        row = eventually(lambda: row if (row := core_row(daemon))["state"] == "running" else None)
        assert "can't be asked" in row["detail"], row
        kill(before["quiet"])
        restarted = eventually(lambda: daemon.marked().get("quiet.2"), 10, "who dies is started again")
        assert alive(before["web"])
    eventually(lambda: daemon.row("web")["detail"] == "", 15, "it can be asked again")
    assert daemon.row("web")["pid"] == before["web"]
    assert daemon.row("quiet")["pid"] in restarted
    size = len(home.log("web"))
    eventually(lambda: len(home.log("web")) > size)
    assert daemon.stop() == 0
    assert home.pids() == []


def core_row(daemon: Daemon) -> dict[str, Any]:
    rows: list[dict[str, Any]] = daemon.ask("start", "status")["rows"]
    return next(row for row in rows if row["name"] == "scheduler")


# R46: ports


@contextlib.contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen()
        yield


def test_a_taken_port_costs_the_config_server_alone_until_it_is_free(home: TemporaryHome) -> None:
    home.supervision.update(delaysSeconds=[0.3], giveUpAfter=100, startTimeoutSeconds=5)
    home.add_plugin("web", child("ready"))
    home.write()
    with taken(home.port):
        started = home.sbctl("start")
        told = is_plain(started)
        assert started.code == 1, started
        assert str(home.port) in told, told
        rows = {row["name"]: row for row in home.status()["services"]}
        assert rows["web"]["state"] == "running", "never half a tree"
        assert rows["config"]["state"] != "running"
        why = is_plain(home.sbctl("why", "config"))
        assert f"{home.port}" in why, why
        assert "in use" in why or "taken" in why, why
        pid = rows["web"]["pid"]
    eventually(lambda: home.status("config")["services"][0]["state"] == "running", 15, "it has its port at last")
    assert home.status("web")["services"][0]["pid"] == pid


@pytest.mark.slow
def test_a_port_that_is_taken_during_a_restart(home: TemporaryHome) -> None:
    home.supervision.update(delaysSeconds=[0.3], giveUpAfter=100, startTimeoutSeconds=5)
    home.write()
    assert home.sbctl("start").code == 0
    assert home.sbctl("stop", "config").code == 0
    with taken(home.port):
        refused = home.sbctl("start", "config")
        assert refused.code == 1, refused
        assert str(home.port) in is_plain(refused), refused
    eventually(lambda: home.status("config")["services"][0]["state"] == "running", 15)


# R48: a dependency that never comes


@pytest.mark.slow
def test_who_waits_for_one_that_never_comes_says_for_whom(home: TemporaryHome) -> None:
    home.settings["config"]["enabled"] = False
    home.supervision.update(startTimeoutSeconds=1, delaysSeconds=[0.1], giveUpAfter=2, fastCrashSeconds=5)
    home.write()
    home.add_plugin("never", child("ready"), ready={"tcp": "127.0.0.1:1", "timeoutSeconds": 0.5})
    home.add_plugin("needs", child("ready"), requires=["never"])
    home.add_plugin("further", child("ready"), requires=["needs"])
    home.add_plugin("free", child("ready"))
    began = time.monotonic()
    started = home.sbctl("start")
    took = time.monotonic() - began
    told = is_plain(started)
    assert started.code == 1, started
    assert took < 15, "bounded"
    assert "never" in told
    rows = {row["name"]: row for row in home.status()["services"]}
    assert rows["free"]["state"] == "running"
    assert rows["needs"]["pid"] is None
    assert rows["further"]["pid"] is None
    eventually(lambda: home.status("never")["services"][0]["state"] == "failed", 10)
    assert "not ready within" in is_plain(home.sbctl("why", "never"))
    for name, on in (("needs", "never"), ("further", "needs")):
        assert on in is_plain(home.sbctl("why", name)), name
    alone = home.sbctl("start", "needs")
    assert alone.code == 1, alone
    assert "never" in is_plain(alone)
    free = rows["free"]["pid"]
    assert home.status("free")["services"][0]["pid"] == free
